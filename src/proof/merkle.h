/*
 * merkle.h
 *		Merkle trees.
 */
#ifndef SUPPORT_MERKLE_H
#define SUPPORT_MERKLE_H

#include "proof/digest.h"

#define MAX_TREE_HEIGHT 63

/* A tree that grows leaf by leaf. */
typedef struct MerkleTree
{
	int64		size;			/* leaves */
	int			n;
	Digest		roots[MAX_TREE_HEIGHT + 1]; /* of the full trees that it is made of, the largest first */
} MerkleTree;

extern void merkle_add(MerkleTree *tree, Hasher *hasher, const Digest *leaf);
extern Digest merkle_root(const MerkleTree *tree, Hasher *hasher);
extern int	merkle_path(Hasher *hasher, const Digest *leaves, int64 n, int64 leaf, Digest *path);
extern bool merkle_leads_to(Hasher *hasher, Digest leaf, int64 index, int64 size, const Digest *path, int n,
							const Digest *root);

#endif							/* SUPPORT_MERKLE_H */
