"""Training: referring segmentation for the neck and head, contrastive pretraining for the trunk."""
