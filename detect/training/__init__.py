"""Training: pools of pictures, crops, the loop, the recipe of the shipped weights, fine-tuning."""
