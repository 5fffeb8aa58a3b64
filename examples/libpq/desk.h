/*
 * A support desk from C, with libpq.
 *
 * A function that returns an int64_t gives an id, a version or a number of rows, or -1 when the server refuses. Then
 * sqlstate, message and hint of struct desk tell why.
 */
#ifndef DESK_H
#define DESK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <libpq-fe.h>

struct desk
{
	PGconn	   *conn;
	char		sqlstate[6];
	char		message[256];
	char		hint[256];		/* empty where the server has none */
};

/* A ticket; the texts live until free_ticket(), and one that may be NULL is NULL */
struct ticket
{
	int64_t		version;
	const char *title;
	const char *status;
	const char *priority;		/* may be NULL */
	bool		is_assigned;
	int64_t		assignee_id;
	struct timespec created_at;
	const char *custom;			/* JSON */
	PGresult   *result;
};

/* A reply to send, and what came of it */
struct reply
{
	int64_t		ticket_id;
	const char *content;
	int64_t		comment_id;		/* -1: not added */
	char		sqlstate[6];	/* of the reply that was refused */
};

bool		open_desk(struct desk *desk, const char *conninfo);
void		close_desk(struct desk *desk);

bool		begin_as(struct desk *desk, int64_t user_id);
bool		commit(struct desk *desk);
void		roll_back(struct desk *desk);

int64_t		create_ticket(struct desk *desk, const char *title, const char *description,
						  const char *const *tags, int tag_count, const char *custom);
int64_t		add_reply(struct desk *desk, int64_t ticket_id, const char *content, const char *status);
int			reply_to_all(struct desk *desk, const int64_t *ticket_ids, int count, const char *content,
						 int64_t *refused);
int			send_replies(struct desk *desk, int64_t user_id, struct reply *replies, int count, int batch_size);

bool		read_ticket(struct desk *desk, int64_t ticket_id, struct ticket *ticket);
void		free_ticket(struct ticket *ticket);
PGresult   *list_tickets(struct desk *desk, const char *status, int64_t after, int page_size);
int64_t		count_opened_since(struct desk *desk, struct timespec since);
PGresult   *tag_ticket(struct desk *desk, int64_t ticket_id, const char *const *tags, int tag_count);
PGresult   *status_report(struct desk *desk);

int64_t		update_ticket(struct desk *desk, int64_t ticket_id, const char *changes);
int64_t		take_ticket(struct desk *desk, int64_t ticket_id, int64_t agent_id, int64_t version);
int64_t		solve_ticket(struct desk *desk, int64_t ticket_id, int64_t version);
int64_t		delete_ticket(struct desk *desk, int64_t ticket_id, const char *reason);
int64_t		remove_tickets_of(struct desk *desk, int64_t creator_id);
int64_t		restore_ticket(struct desk *desk, int64_t ticket_id);
int64_t		copy_tickets(struct desk *desk, const char *csv);

#endif
