/*
 * varint.h
 *		Integers that take few bytes if they are small.
 *
 * Seven bits a byte, the lowest first, the top bit on all but the last. Each number has one form, the shortest.
 */
#ifndef SUPPORT_VARINT_H
#define SUPPORT_VARINT_H

/* Signed numbers near zero as unsigned ones: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4. */
static inline uint64
zigzag(int64 value)
{
	return ((uint64) value << 1) ^ (value < 0 ? ~UINT64CONST(0) : 0);
}

static inline int64
unzigzag(uint64 value)
{
	return (int64) ((value >> 1) ^ ((value & 1) != 0 ? ~UINT64CONST(0) : 0));
}

/* The most bytes that a number takes. */
#define MAX_VARINT 10

/* Write a number, for which there is room; returns where it ends. */
static inline uint8 *
write_varint(uint8 *at, uint64 value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8) (value | 0x80);
	*at++ = (uint8) value;
	return at;
}

/* Read a number and move on; false if what is there is none. */
static inline bool
read_varint(const uint8 **at, const uint8 *end, uint64 *value)
{
	/* most take one byte */
	if (*at < end && **at < 0x80)
	{
		*value = *(*at)++;
		return true;
	}
	*value = 0;
	for (int shift = 0; *at < end && shift < 64; shift += 7)
	{
		uint8		byte = *(*at)++;

		if (shift == 63 && byte > 1)
			return false;
		*value |= (uint64) (byte & 0x7F) << shift;
		if (byte < 0x80)
			return byte != 0 || shift == 0;
	}
	return false;
}

#endif							/* SUPPORT_VARINT_H */
