/*
 * row_image.h
 *		Rows and columns as the audit log keeps them.
 */
#ifndef SUPPORT_ROW_IMAGE_H
#define SUPPORT_ROW_IMAGE_H

#include "base/compat.h"
#include "base/row.h"

/* An object that columns are added to. */
typedef JsonbBuilder Image;

extern int	begin_image_settings(const TableShape *shape);
extern void end_image_settings(int nestlevel);
extern void image_begin(Image *image);
extern void image_add(Image *image, const Row *row, int attribute);
extern Datum image_end(Image *image);
extern bool image_value(JsonbValue *value, ImageKind kind, Form_pg_attribute att, Datum *datum);
extern bool image_column(Jsonb *image, Relation rel, int attribute, Datum *value, bool *isnull);

#endif							/* SUPPORT_ROW_IMAGE_H */
