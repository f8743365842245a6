"""What a moving picture looks like, frame by frame along its time."""
