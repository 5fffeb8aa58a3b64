/*
 * workflow.h
 *		What a ticket's row keeps by itself, and what it must refer to.
 */
#ifndef SUPPORT_WORKFLOW_H
#define SUPPORT_WORKFLOW_H

extern void workflow_init(void);

#endif							/* SUPPORT_WORKFLOW_H */
