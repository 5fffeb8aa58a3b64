/*
 * merkle.c
 *		Merkle trees.
 *
 * The trees are those of RFC 6962: the left child of a tree of n leaves has the largest power of two of leaves that is
 * less than n. Their leaves are digests already.
 */
#include "postgres.h"

#include "proof/merkle.h"

/* Add a leaf on the right. Of the full trees that the tree is made of no two are equally large. */
void
merkle_add(MerkleTree *tree, Hasher *hasher, const Digest *leaf)
{
	tree->roots[tree->n++] = *leaf;
	for (int64 size = tree->size++; (size & 1) != 0; size >>= 1)
	{
		tree->n--;
		tree->roots[tree->n - 1] = node_digest(hasher, &tree->roots[tree->n - 1], &tree->roots[tree->n]);
	}
}

/* The root of a tree that has leaves. */
Digest
merkle_root(const MerkleTree *tree, Hasher *hasher)
{
	Digest		root = tree->roots[tree->n - 1];

	for (int i = tree->n - 2; i >= 0; i--)
		root = node_digest(hasher, &tree->roots[i], &root);
	return root;
}

static Digest
root_of(Hasher *hasher, const Digest *leaves, int64 n)
{
	MerkleTree	tree = {0};

	for (int64 i = 0; i < n; i++)
		merkle_add(&tree, hasher, &leaves[i]);
	return merkle_root(&tree, hasher);
}

/* How many leaves the left child of a tree has. */
static int64
left_part(int64 n)
{
	int64		part = 1;

	while (part * 2 < n)
		part *= 2;
	return part;
}

/* Write the path from a leaf to the root: the siblings on the way, from below. Returns how many there are. */
int
merkle_path(Hasher *hasher, const Digest *leaves, int64 n, int64 leaf, Digest *path)
{
	int			length = 0;

	/* from the root downwards, then turned around */
	while (n > 1)
	{
		int64		left = left_part(n);

		if (leaf < left)
		{
			path[length++] = root_of(hasher, leaves + left, n - left);
			n = left;
		}
		else
		{
			path[length++] = root_of(hasher, leaves, left);
			leaves += left;
			leaf -= left;
			n -= left;
		}
	}
	for (int i = 0; i < length / 2; i++)
	{
		Digest		swapped = path[i];

		path[i] = path[length - 1 - i];
		path[length - 1 - i] = swapped;
	}
	return length;
}

/* Does a path lead from the leaf with this index, from 0, to the root of a tree of this size? */
bool
merkle_leads_to(Hasher *hasher, Digest leaf, int64 index, int64 size, const Digest *path, int n, const Digest *root)
{
	int64		last = size - 1;

	if (index < 0 || index > last)
		return false;
	for (int i = 0; i < n; i++)
	{
		if (last == 0)
			return false;
		if ((index & 1) != 0 || index == last)
		{
			leaf = node_digest(hasher, &path[i], &leaf);
			/* a leaf at the right edge has no sibling on some levels */
			while ((index & 1) == 0 && index != 0)
			{
				index >>= 1;
				last >>= 1;
			}
		}
		else
			leaf = node_digest(hasher, &leaf, &path[i]);
		index >>= 1;
		last >>= 1;
	}
	return last == 0 && same_digest(&leaf, root);
}
