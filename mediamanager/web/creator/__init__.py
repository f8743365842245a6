"""The pages of a creator: register works, say what may be done with them, change it, withdraw it, keep the receipt."""
