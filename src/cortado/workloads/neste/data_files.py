"""Where the files of FBH, FBHE and DBHE come from: NestE's repository, as it was at one commit.

Its copies of FBH and FBHE are those whose nested facts fit their triples; BiVE's later ones lost a triple.
"""

from __future__ import annotations

from cortado.frontends.data_file import DataFile, data_files

_FOLDER = "https://raw.githubusercontent.com/xiongbo010/NestE/8ece56cf8505b27f7cb3bbbe95860e5ab6df456a/benchmarks"

# Path, bytes, sha256.
_FILES = (
    ("DBHE/base/augment2id.txt", 23_717, "ef6767809bc86e1e9864dc7ac1815d62135a977d44ebf0d9e349f13acf2f29c6"),
    ("DBHE/base/entity2id.txt", 280_057, "6e57946d56555e89b6c052082b78a6719a3ed6ef062aafa3c11c66c1e5e6a79a"),
    ("DBHE/base/relation2id.txt", 1_160, "ce34ea45a893b2cd88a90ed501c77e298eab33936ba95b62e081e7523ab1c584"),
    ("DBHE/base/test2id.txt", 84_883, "34f48cae40efa4ebf65a5e01f6d253c31504374c1de9d16eb1a42220a40d9b43"),
    ("DBHE/base/train2id.txt", 683_050, "7fa3dfc2b12ab595e3d72ab770e06c2e74ce86eb08a816013e1669c7ee1bd2ed"),
    ("DBHE/base/valid2id.txt", 85_098, "6f49f92b977d23f0b35b6672de0db1e0662ee1a6e9bed2899fa328445d40c5e4"),
    ("DBHE/meta/relation2id.txt", 136, "1c5b4736622cb2ee47f3558b9cc7c2990951ccf49d5ebe467b9cd9f552dae3e0"),
    ("DBHE/meta/test2id.txt", 6_766, "35fea4f9dae3c16c2d608a9158a25eff29fcae0a3ea8498e353f7e9419765ff6"),
    ("DBHE/meta/train2id.txt", 62_468, "ccc811e9ef06ffbf3108ab96b18f5115f9708b5cd585447275fc6023482a374b"),
    ("DBHE/meta/valid2id.txt", 7_803, "6d6551ba81415e628602cb8ecc1d8d3a966849df35f7916d333c977e5bc41f7e"),
    ("FBH/base/augment2id.txt", 207_617, "ee1000eb068c951f9b50edb52f909e863c9f96fcd85c7f5094a0640f729adcb8"),
    ("FBH/base/entity2id.txt", 339_287, "8861dc3833dda2015ec3cf797c96a0474d25b3440b5be04427ff46e0a42bb5a6"),
    ("FBH/base/relation2id.txt", 15_764, "fefd26d6cd5ff9d360efe5360c11bf112d019f42b3acf165a5c04aa2b66a42d9"),
    ("FBH/base/test2id.txt", 390_707, "fdb693bbb4b7b0ad0b24e2f51f59019a3d624851d0939f3702f33b211720d427"),
    ("FBH/base/train2id.txt", 3_116_076, "1da3dbac0aa13f196331111f289bf7c20d860ebe5a6eda6112cb54f20eb15ef7"),
    ("FBH/base/valid2id.txt", 390_515, "c4e85e9a558f65a42eb894850016344f780166be032cf21f284b73bdba9d3169"),
    ("FBH/meta/relation2id.txt", 106, "3b61460d7a04cf4079fa4c878039f6dadb427ff032132eceb140b76f8260ea99"),
    ("FBH/meta/test2id.txt", 39_051, "c8a988f89fc5c71b6d6b43630cf2944d004d2a869a3ab965746b86b95157ffbb"),
    ("FBH/meta/train2id.txt", 312_255, "220db3a0f58fd09755f246d17296ce083a82e89c7a7a6a5fd08dc2b9b0b40472"),
    ("FBH/meta/valid2id.txt", 39_115, "d778a3a3c7817bf82742e26e89fad22edd8e5ef755ac91ade39e6eae412d75a4"),
    ("FBHE/base/augment2id.txt", 218_307, "c8ca9ee475fe1727b6ee597024dc8d6521fd6ff7ec38442bc49a4d2cb54126ad"),
    ("FBHE/base/entity2id.txt", 339_287, "8861dc3833dda2015ec3cf797c96a0474d25b3440b5be04427ff46e0a42bb5a6"),
    ("FBHE/base/relation2id.txt", 15_764, "fefd26d6cd5ff9d360efe5360c11bf112d019f42b3acf165a5c04aa2b66a42d9"),
    ("FBHE/base/test2id.txt", 390_707, "fdb693bbb4b7b0ad0b24e2f51f59019a3d624851d0939f3702f33b211720d427"),
    ("FBHE/base/train2id.txt", 3_116_076, "1da3dbac0aa13f196331111f289bf7c20d860ebe5a6eda6112cb54f20eb15ef7"),
    ("FBHE/base/valid2id.txt", 390_515, "c4e85e9a558f65a42eb894850016344f780166be032cf21f284b73bdba9d3169"),
    ("FBHE/meta/relation2id.txt", 161, "ed2153949d209462e71a59affd96f1cf5037ef0a320097e0348a6c7b6a949d66"),
    ("FBHE/meta/test2id.txt", 50_384, "be979a7e3207ca75a1a034a7a0d9a2e2de7872fee519673e8e362ce5128d889c"),
    ("FBHE/meta/train2id.txt", 403_126, "78b0bf48f073656a8513e1a44b6f839a2a48a25228a500259a881f3faac8fe31"),
    ("FBHE/meta/valid2id.txt", 50_316, "b72d71bebf1705a82ffeeaa34bbf63e95c21ee132c949c45c0a92226bc39d2d4"),
)

for _path, _size_bytes, _sha256 in _FILES:
    data_files.register(f"neste/{_path}")(DataFile(
        name=f"neste/{_path}", path=f"neste/{_path}", url=f"{_FOLDER}/{_path}", sha256=_sha256,
        size_bytes=_size_bytes, licence="CC BY-NC 4.0", purpose="nested facts over Freebase or DBpedia (BiVE)"))
