"""Training: referring segmentation for neck and head, contrastive pretraining."""
