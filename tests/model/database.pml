/* What Postgres stores, what must hold after every commit, what a crash takes back; and who holds which lock and token. */

/* Not part of the state: which moves were ever made, for run.py. */
c_decl {
  static char moved[MOVES];
  static void tell_moves(void) { for (int n = 0; n < MOVES; n++) if (moved[n]) printf("moved %d\n", n); }
}

/* What Postgres stores. A token stands for a random one: two are the same only while nobody could tell. */
typedef Database {
  byte status[TASKS];
  byte token[TASKS];
  byte charged[TASKS];
  bit cancel[TASKS];   /* cancel_requested_at */
  bit marked[TASKS];   /* has_dependents */
  byte recorded[TASKS];/* attempts, by token */
  byte owed[TASKS];    /* settlements of a slot, by token */
  byte look[TASKS];    /* those of them with has_dependents */
  bit slotless[TASKS]; /* settlements without a slot: what waits is to be looked at */
  byte taken[LANES];
#ifdef BROKEN_COUNTED_DOWN
  byte open[TASKS];
#endif
}

Database db;
Database saved;  /* what is on the disk, from the first commit that the coming crash will lose; else nothing */
bit doomed;      /* such a commit was made: until the crash nothing gets durable */
bit late[TASKS]; /* start_before has passed */
bit acked[TASKS];/* somebody was told that it is accepted */

/* Sessions: those of the workers, of upkeep, of the client. */
#define UPKEEP 2
#define CLIENT 3
#define SESSIONS 4
#define NONE 0
#define OPEN 1
#define BROKEN 2
byte session[SESSIONS];
byte holder[LANES];      /* of the lane's lock: session + 1 */
bit row_locked[TASKS];   /* by who submits something that needs it */

/* Who holds which token, in memory: workers, and at UPKEEP who is about to end or settle an attempt. */
byte held_task[3];       /* task + 1 */
byte held_token[3];

byte faults = FAULTS;

#define bit_of(k) (1 << (k - 1))
#define ones(x) ((x & 1) + ((x >> 1) & 1) + ((x >> 2) & 1) + ((x >> 3) & 1))
#define exists(t) (db.status[t] != NEW)
#define ended(t) (db.status[t] >= SUCCEEDED)
#define unstarted(t) (db.status[t] >= WAITING && db.status[t] <= READY)
#define active(t) (db.status[t] == READY || db.status[t] == RUNNING)
#define holds_token(p, t, k) (held_task[p] == t + 1 && held_token[p] == k)
#define is_held(t, k) (holds_token(0, t, k) || holds_token(1, t, k) || holds_token(UPKEEP, t, k))

/* --- The moves, from moves.h ---------------------------------------------------------------------------------------- */

#define move(n, t, k, before, after, slots, owes) \
  assert(db.status[t] == before); \
  db.status[t] = after; \
  db.taken[lane(t)] = db.taken[lane(t)] + slots; \
  if \
  :: (owes == OWES_SLOT) -> \
    db.owed[t] = db.owed[t] | bit_of(k); \
    if :: db.marked[t] && after >= SUCCEEDED -> db.look[t] = db.look[t] | bit_of(k) :: else fi \
  :: (owes == OWES_LOOK && db.marked[t]) -> db.slotless[t] = 1 \
  :: else \
  fi; \
  c_code { moved[n] = 1; }; \
  printf("by %d: task %d: move %d\n", _pid, t, n)

/* --- What must hold after every commit ------------------------------------------------------------------------------ */

#define in_use(l, t) ((lane(t) == l) * (active(t) + ones(db.owed[t])))
#define slots_exact(l) (db.taken[l] == in_use(l, 0) + in_use(l, 1) + in_use(l, 2))
/* Something that it needs is open, or has ended and is yet to be settled with a look at what waits. */
#define waits_for(t, u) (needs(t, u) && exists(u) && (!ended(u) || db.look[u] || db.slotless[u]))
#define waits(t) (waits_for(t, 0) || waits_for(t, 1) || waits_for(t, 2))
#define fine(t) ((!acked[t] || exists(t)) && (db.status[t] != WAITING || waits(t)))

inline check() {
  assert(slots_exact(0) && slots_exact(1));               /* slots are exact */
  assert(db.taken[0] <= SLOTS && db.taken[1] <= SLOTS);   /* and never more than there are */
  assert(fine(0) && fine(1) && fine(2))                   /* no task is lost, and none waits for nothing */
}

/* --- The disk ------------------------------------------------------------------------------------------------------- */

#define copy(to, from, i) \
  to.status[i] = from.status[i]; to.token[i] = from.token[i]; to.charged[i] = from.charged[i]; to.cancel[i] = from.cancel[i]; \
  to.marked[i] = from.marked[i]; to.recorded[i] = from.recorded[i]; to.owed[i] = from.owed[i]; to.look[i] = from.look[i]; \
  to.slotless[i] = from.slotless[i]
#ifdef BROKEN_COUNTED_DOWN
#define copy_open(to, from) to.open[0] = from.open[0]; to.open[1] = from.open[1]; to.open[2] = from.open[2]
#else
#define copy_open(to, from) skip
#endif
#define copy_all(to, from) \
  copy(to, from, 0); copy(to, from, 1); copy(to, from, 2); to.taken[0] = from.taken[0]; to.taken[1] = from.taken[1]; copy_open(to, from)
#define forget(of, i) \
  of.status[i] = 0; of.token[i] = 0; of.charged[i] = 0; of.cancel[i] = 0; of.marked[i] = 0; of.recorded[i] = 0; of.owed[i] = 0; \
  of.look[i] = 0; of.slotless[i] = 0

/* An asynchronous commit follows. A crash loses the last commits, none of which was durable: the first of them is chosen here. */
inline commit_asynchronously() {
  if
  :: skip
  :: d_step { !doomed && may_break -> faults--; doomed = 1; copy_all(saved, db); printf("the coming crash loses what is committed from here on\n") }
  fi
}

#define can_get_durable (!doomed)

/* --- Tokens --------------------------------------------------------------------------------------------------------- */

#define is_in_use(t, k) \
  (db.token[t] == k || saved.token[t] == k || is_held(t, k) || ((db.owed[t] | saved.owed[t]) & bit_of(k)))

inline new_token(t, k) {
  k = 1;
  do
  :: is_in_use(t, k) -> k++; assert(k <= 4)
  :: else -> break
  od;
  db.recorded[t] = db.recorded[t] & ~bit_of(k);
  saved.recorded[t] = saved.recorded[t] & ~bit_of(k)
}

/* Forgetting it: when nobody holds it any more, nobody can record it again, and it may stand for another one. */
inline drop_token(me) {
  if
  :: held_task[me] ->
    dropped = held_task[me] - 1;
    held_task[me] = 0;
    if
    :: !is_held(dropped, held_token[me]) ->
      db.recorded[dropped] = db.recorded[dropped] & ~bit_of(held_token[me]);
      saved.recorded[dropped] = saved.recorded[dropped] & ~bit_of(held_token[me])
    :: else
    fi;
    held_token[me] = 0;
    dropped = 0
  :: else
  fi
}
