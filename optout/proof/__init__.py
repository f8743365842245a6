"""PURE: the transparency log: Merkle tree, signed notes, tiles, proofs, promises."""
