/* What is done from outside: a client that submits, a person who cancels and retries, time that passes. */

/* --- The client: submits, asks again until it is answered; a key gives the same task again ------------------------------ */

#define has_needs(t) (!any_end(t) && (needs(t, 0) || needs(t, 1) || needs(t, 2)))
#define stands_in_lane(t, l) (lane(t) == l && db.status[t] == HELD && !db.cancel[t])
#define has_slot(l) (is_free(l) && db.taken[l] < SLOTS && !stands_in_lane(0, l) && !stands_in_lane(1, l) && !stands_in_lane(2, l))
#define mark(t, u) if :: needs(t, u) && db.status[u] != SUCCEEDED -> db.marked[u] = 1 :: else fi

#ifdef BROKEN_NO_HARDEN
#define is_hard true
#else
#define is_hard can_get_durable
#endif
#ifdef BROKEN_NEEDS_NOT_LOCKED
#define lock_rows(t) skip
#else
#define lock_rows(t) row_locked[0] = needs(t, 0); row_locked[1] = needs(t, 1); row_locked[2] = needs(t, 2)
#endif
#ifdef BROKEN_COUNTED_DOWN
#define count_open(t) db.open[t] = open_need(t, 0) + open_need(t, 1) + open_need(t, 2)
#else
#define count_open(t) skip
#endif

/* insert_task.sql: stores it, and brings it into its lane if nobody holds that; asynchronous. */
inline insert(t) {
  commit_asynchronously();
  d_step {
    if
    :: starts_later(t) -> MOVE_submit_scheduled(t, 0)
    :: !starts_later(t) && has_slot(lane(t)) -> MOVE_submit_ready(t, 0)
    :: else -> MOVE_submit_held(t, 0)
    fi;
    check()
  }
}

/* depend.py, wait_for_needs: locks and marks what it needs; durable. */
inline insert_with_needs(t) {
  {
    atomic { session[CLIENT] = OPEN; lock_rows(t); was_broken = broken(t); was_open = is_open(t) }
    atomic {
      can_get_durable ->
      d_step {
        if
        :: was_broken -> refused = true
        :: !was_broken && was_open -> mark(t, 0); mark(t, 1); mark(t, 2); count_open(t); MOVE_submit_waiting(t, 0)
        :: else -> if :: starts_later(t) -> MOVE_submit_scheduled(t, 0) :: else -> MOVE_submit_held(t, 0) fi
        fi;
        row_locked[0] = 0; row_locked[1] = 0; row_locked[2] = 0;
        session[CLIENT] = NONE; was_broken = false; was_open = false;
        check()
      }
    }
  } unless {
    d_step { session[CLIENT] == BROKEN -> session[CLIENT] = NONE; was_broken = false; was_open = false }
  }
}

proctype Client() {
  byte t;
  bool was_broken, was_open, refused;
  do
  :: t < TASKS && !is_child(t) ->
again:
    if
    :: exists(t) || refused
    :: atomic { !exists(t) && !refused && !has_needs(t) -> insert(t) }
    :: !exists(t) && !refused && has_needs(t) -> insert_with_needs(t)
    fi;
    if
    :: atomic { exists(t) && is_hard -> acked[t] = 1; t++ } /* harden.sql */
    :: !exists(t) && !refused -> goto again
    :: atomic { refused -> refused = false; t++ }
    fi
  :: t == TASKS || is_child(t) -> break
  od
}

/* --- People, and time ----------------------------------------------------------------------------------------------- */

#define needs_locked(t) (row_locked[0] || row_locked[1] || row_locked[2])
#define is_revivable(t) (db.status[t] > SUCCEEDED && !broken(t) && !(is_child(1) && t == 0))

/* revive.sql; durable. */
#define revive(t) \
  if \
  :: db.status[t] == FAILED && is_open(t) -> MOVE_revive_failed_waiting(t, 0) \
  :: db.status[t] == FAILED && !is_open(t) -> MOVE_revive_failed_held(t, 0) \
  :: db.status[t] == CANCELLED && is_open(t) -> MOVE_revive_cancelled_waiting(t, 0) \
  :: db.status[t] == CANCELLED && !is_open(t) -> MOVE_revive_cancelled_held(t, 0) \
  :: db.status[t] == EXPIRED && is_open(t) -> MOVE_revive_expired_waiting(t, 0) \
  :: db.status[t] == EXPIRED && !is_open(t) -> MOVE_revive_expired_held(t, 0) \
  fi

#define MAY(t) \
  :: d_step { faults > 0 && can_get_durable && exists(t) && !ended(t) && !db.cancel[t] && !row_locked[t] -> faults--; db.cancel[t] = 1 } \
  :: d_step { faults > 0 && unstarted(t) && !late[t] && !(is_child(1) && db.status[t] == WAITING) -> faults--; late[t] = 1 } \
  :: d_step { faults > 0 && can_get_durable && is_revivable(t) && !needs_locked(t) -> \
      faults--; mark(t, 0); mark(t, 1); mark(t, 2); count_open(t); \
      revive(t); db.cancel[t] = 0; db.charged[t] = 0; late[t] = 0; check() }

proctype Person() {
end:
  do
  MAY(0)
  MAY(1)
  MAY(2)
  od
}
