"""Where the files of CoDEx come from: its authors' repository, as it was at one commit.

It serves these files one by one; the names of entities and the training triples of CoDEx-L stand in archives there.
"""

from __future__ import annotations

from cortado.frontends.data_file import DataFile, data_files

_REPOSITORY = "https://raw.githubusercontent.com/tsafavi/codex/3132e426c2a6b643b70bad679905a3a6270be440"

# Path, bytes, sha256.
_FILES = (
    ("analysis/paths/codex-l/paths.tsv", 10_171, "9b39022ee5e18eeaaef714ef82aa2f2e72bb2e4f92b913cab5f7e0aa5504d288"),
    ("analysis/paths/codex-m/paths.tsv", 4_553, "1e2fa092cb3275ebd4fcd0b9ebebf342e4054c0e1d2974487adafab32080dfc3"),
    ("analysis/paths/codex-s/paths.tsv", 2_734, "68fd27d7040c18395b26de22c99090a412f7ed33cbf2d01c3bb94a6e1e628f1d"),
    ("analysis/symmetry/codex-l/symmetry.tsv", 246, "ed9297b008fb8be5cf9a6b236790f3d9b6333da24d7c94567d4b9ba089201709"),
    ("analysis/symmetry/codex-m/symmetry.tsv", 208, "89d31bf5ce9260a4234b00c9edbbf10f53a94a03ac6e962a360c65a45a2c2444"),
    ("analysis/symmetry/codex-s/symmetry.tsv", 195, "e811ba93d779b4f45837dc214342bce07e71359393856d42529938ef6ce6be3d"),
    ("relations/ar/relations.json", 21_654, "06467134556da679127638470c71a412ab4fc910db02d47037fe59188d8210bd"),
    ("relations/de/relations.json", 9_386, "eb6283fc99282830b1c7b3f2889209b06c4899dee526b557ff95b416329c638c"),
    ("relations/en/relations.json", 10_698, "2b467fab26430a0500e5fe82cdb9b3c4fbcfda01827ff3bfa833dc5470ad92f7"),
    ("relations/es/relations.json", 8_938, "b38824e4f59eb6f56c60b7720a520a2408b70661cc794ba50dafe3d688a6c76c"),
    ("relations/ru/relations.json", 33_259, "d71b5d2e704ffb9a06abfd3491481ca02e72f527a45870a28f0bf83cd0c75d49"),
    ("relations/zh/relations.json", 10_851, "c7c831507737973bf4a443c9db19d5b8ce2d774f9fe5a12953658b491d1adc3d"),
    ("triples/codex-l/test.txt", 605_298, "2d8188d6f199fc548c8e5fb97336a7ffd079240fc84c0425ed9c29d39bfdab8d"),
    ("triples/codex-l/valid.txt", 605_471, "f0119a22dc663e8df4a942cde7404927935b0c42e5a8980f5fb48ac6886e416f"),
    ("triples/codex-m/test.txt", 203_693, "0575ce05e4ce915e395bb4f708e8df9547989dd4c8c71407cbfd78c19daffcf7"),
    ("triples/codex-m/test_negatives.txt", 189_932, "7caaf71f7a85fbd915dce8199f5b1e1744ead58e0675549fcb01c60599944648"),
    ("triples/codex-m/train.txt", 3_660_213, "d99c3437ab51690391a26d96976adf6e5494dba7ef6902e77000551bfa566556"),
    ("triples/codex-m/valid.txt", 203_470, "11c323096367354940846b9ed940c5dabddc1d20a70474222babe7e7fd28b28d"),
    ("triples/codex-m/valid_negatives.txt", 189_665, "454a4f66ae85495e6e7df0a9f591ed3b8b6efbbcca515414cb641a28625cbcb2"),
    ("triples/codex-s/test.txt", 34_252, "27127fcb34688c4778e88a39ef3c9b540807da846021e9d9685660ac1838aca1"),
    ("triples/codex-s/test_negatives.txt", 32_627, "d3fb32c41f3be26d09484ace571965806f1ade0ca712551b0de684c283cdbb22"),
    ("triples/codex-s/train.txt", 615_428, "64f93b7f314f3936a6f65739721429db3f6a7c8f5a1e1104ec3bb544f7434f59"),
    ("triples/codex-s/valid.txt", 34_323, "3831c0e57daef03c3a18cdd1a72e370b496f696c5218883d35c7d2ab8a6a772c"),
    ("triples/codex-s/valid_negatives.txt", 32_801, "c1d84860d6ee786419f1f118d0e9479c6614283b3e267afc158734389036901f"),
    ("types/ar/types.json", 587_185, "4ce478ce6ba199228bc1cec5137279af981139b177929f31f4d00c8bd6891577"),
    ("types/de/types.json", 446_622, "10c13c860b0c347050047f68dfa7484b00f272d4ad77692c0eff32b1b003513b"),
    ("types/en/types.json", 530_344, "2934c3bac72fd9e7dc8a6452a84845e8fa232264aaa505c4b81cad2b0e7c5626"),
    ("types/entity2types.json", 1_749_871, "9c3797961498fc312a6d62c798b250c3ad501578a8ac07c0829a2862c627a878"),
    ("types/es/types.json", 452_281, "91b60b488a08932f1061e74d8b7592fde6f3b51ecfc3000004adfa003e9a2416"),
    ("types/ru/types.json", 1_096_072, "d390b6576d16f01b4cc2a8e8fbbdb4014636f517b7bbf9abcc90a14a3e223276"),
    ("types/zh/types.json", 414_969, "444bef88891c3b5ca2e3df2bbcd1b224ca23374d85fdfcbef691850419a80a2f"),
)

for _path, _size_bytes, _sha256 in _FILES:
    # What the repository has in folder data, apart from the analyses.
    _there = _path if _path.startswith("analysis/") else f"data/{_path}"
    data_files.register(f"codex/{_path}")(DataFile(
        name=f"codex/{_path}", path=f"codex/{_path}", url=f"{_REPOSITORY}/{_there}", sha256=_sha256,
        size_bytes=_size_bytes, licence="MIT", purpose="CoDEx, a benchmark of knowledge graph completion"))
