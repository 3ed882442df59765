/* The survivor without handlers: a daemon that has forgotten the guest can enter none. */
#define ATTENDS 0
#include "survivor.c"
