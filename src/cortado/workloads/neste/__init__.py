"""NestE, embeddings of facts about facts: Xiong et al. 2024, AAAI."""
