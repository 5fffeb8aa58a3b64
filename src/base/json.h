/*
 * json.h
 *		Taking jsonb apart and putting it together.
 */
#ifndef SUPPORT_JSON_H
#define SUPPORT_JSON_H

#include "base/compat.h"

/* Values of a document; what they are made of must stay where it is as long as they do. */
extern void json_string(JsonbValue *value, const char *text, int length);
extern void json_text(JsonbValue *value, Datum text);
extern void json_int64(JsonbValue *value, int64 number);
extern void json_document(JsonbValue *value, Jsonb *document);

/* A document under construction. */
extern void json_push_key(JsonbBuilder *builder, const char *key);
extern void json_push_string(JsonbBuilder *builder, JsonbIteratorToken token, const char *text, int length);
extern void json_push_int64(JsonbBuilder *builder, int64 number);

/* What is in one. */
extern JsonbValue *json_member(JsonbContainer *object, const char *name, JsonbValue *buffer);
extern int64 json_member_int64(Jsonb *object, const char *name, int64 otherwise);
extern bool json_whole_number(const JsonbValue *value, int64 *number);
extern char *json_string_of(const JsonbValue *value);

/* How many bytes a document has as text. */
typedef struct JsonTextSize
{
	uint64		bytes;
	uint64		backslashes;	/* of them: COPY writes each twice */
} JsonTextSize;

extern JsonTextSize json_text_size(Jsonb *document, uint64 enough);

/* How many levels of arrays and objects lie in one another. */
extern int	json_depth(Jsonb *document);
extern int	json_text_depth(const char *text, int length);

#endif							/* SUPPORT_JSON_H */
