/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The protocol of decision 20: members of a fleet, their store, and what can go wrong between them.
 *
 * Time passes in ticks. Everything else is an action of one process, of the store or of the network, and spin explores
 * every order of the actions. Each action is atomic, as a script is in the store, and as a step of a member's task is.
 * A member acts on a term that has ended as soon as the time has passed, unless it is stopped.
 *
 * After every action the model checks that what all processes may use adds up to at most TOTAL. README.md says what is
 * counted, and what is not.
 */

#ifndef PROCESSES
#define PROCESSES 2
#endif
#ifndef MEMBERS
#define MEMBERS 2 /* The processes that are members at the beginning. */
#endif
#ifndef RESERVED
#define RESERVED 2 /* The number of processes for which floors are reserved. */
#endif
#ifndef TOTAL
#define TOTAL 3
#endif
#define FLOOR 1
#define BURST (TOTAL - FLOOR * RESERVED)

/* Whether memberships end. If not, no process joins, and only shares are explored. */
#ifndef MEMBERSHIPS
#define MEMBERSHIPS 0
#endif
/* Whether a request that its process has given up can still reach the store. */
#ifndef DELAYS
#define DELAYS 1
#endif

/* Terms at the member, counted from the moment before the request. */
#define SHARE_TERM 1
#ifndef MEMBER_TERM
#define MEMBER_TERM 2
#endif
/* Terms at the store with the grace, counted from the execution of the request. */
#define GRACE 1
#define JUMP 1 /* By how much a jump of the store's clock can bring the end of a term nearer. */
#define STORE_SHARE_TERM (SHARE_TERM + JUMP + GRACE)
#define STORE_MEMBER_TERM (MEMBER_TERM + JUMP + GRACE)
#define RECOVERY STORE_SHARE_TERM

/* How many faults happen at most: kills, stops, jumps of the store's clock, and losses of the store's memory. */
#ifndef FAULTS
#define FAULTS 2
#endif

#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define LESS(a, b) ((a) > (b) -> (a) - (b) : 0)

/* What a process is. */
#define OUTSIDE 0 /* Not a member: it may open nothing. */
#define MEMBER 1
#define DYING 2 /* Killed, and its connections are not gone yet. */
#define DEAD 3
byte status[PROCESSES];
bool stopped[PROCESSES];
byte share[PROCESSES];      /* The share that the process may use. */
byte shareTerm[PROCESSES];  /* The ticks for which it may use the share. */
byte memberTerm[PROCESSES]; /* The ticks for which it may use the floor. */
byte used[PROCESSES];       /* Its connections above the floor. */
byte overdue[PROCESSES];    /* Of these, the ones that were in use above the limit when a term ended. */
bool lost[PROCESSES];       /* The store has lost the member, and has not executed a request of it since. */
bool unknown[PROCESSES];    /* The same, and the recovery has ended. */

/* The latest request of each process or its reply, and an earlier request that is still on its way. */
#define NOTHING 0
#define REQUEST 1
#define REPLY 2
#define REFUSAL 3
byte message[PROCESSES];
bool joins[PROCESSES];
byte wanted[PROCESSES]; /* In a reply: the share that the store grants. */
byte held[PROCESSES];
byte age[PROCESSES]; /* The ticks since the request was sent. */
bool delayed[PROCESSES];
byte delayedWanted[PROCESSES];
bool overtaken[PROCESSES]; /* The store has executed a later request than the delayed one. */

/* The store. */
bool known[PROCESSES];
byte granted[PROCESSES];
byte returns[PROCESSES]; /* The ticks until the share returns. */
byte forgets[PROCESSES]; /* The ticks until the member is forgotten. */
byte recovery;           /* The ticks until the recovery has ended. */

byte faults;
bool hasLost; /* With memberships, at most one of the faults is a loss of the store's memory. */

/* Scratch variables, which are not part of the state. */
hidden byte i, p, sum, members, drawn, room, base, ignored;

/* Of a stopped process, only what it may use when it continues. */
#define shareOf(p) (stopped[p] && shareTerm[p] == 0 -> 0 : share[p])
#define mayUse(p) (status[p] == MEMBER && !(stopped[p] && memberTerm[p] == 0))
#define counted(p) LESS(used[p], overdue[p])
#define usage(p)                                                                                                   \
    (status[p] == DYING -> LESS(FLOOR + counted(p), (unknown[p] -> FLOOR : 0))                                       \
                        : (mayUse(p) -> LESS(FLOOR + MAX(shareOf(p), (stopped[p] -> 0 : counted(p))),                 \
                                             (unknown[p] -> FLOOR : 0))                                              \
                                     : 0))

inline check() {
    sum = 0;
    for (i : 0 .. PROCESSES - 1) {
        sum = sum + usage(i)
    }
    assert(sum <= TOTAL)
}

/* Connections above the limit of a term that has ended are in use, and close when they are released. */
inline noteOverdue(p) {
    overdue[p] = MAX(overdue[p], LESS(used[p], share[p]))
}

inline suspend(p) {
    status[p] = OUTSIDE;
    share[p] = 0;
    shareTerm[p] = 0;
    memberTerm[p] = 0;
    unknown[p] = false;
    noteOverdue(p)
}

/* What a member does before anything else: it resizes its pool to what its terms allow. */
inline endTerms(p) {
    if
    :: status[p] == MEMBER && MEMBERSHIPS && memberTerm[p] == 0 -> suspend(p)
    :: status[p] == MEMBER && !(MEMBERSHIPS && memberTerm[p] == 0) && shareTerm[p] == 0 && share[p] > 0 ->
        share[p] = 0;
        noteOverdue(p)
    :: else
    fi
}

inline count() {
    members = 0;
    drawn = 0;
    for (i : 0 .. PROCESSES - 1) {
        members = members + known[i];
        drawn = drawn + granted[i]
    }
}

/* The script of the store. result and grant are the variables for the kind of the reply and for the share. */
inline execute(p, isJoin, want, hold, result, grant) {
    count();
    result = REPLY;
    /* A member uses a share only within its own term. If the store knows a smaller share, it has lost writes. A member that is
       unknown and holds no share was lost in an earlier epoch, whose recovery has ended. It is admitted if there is room. */
    if
    :: !isJoin && recovery == 0 && hold > granted[p] -> recovery = RECOVERY
    :: else
    fi;
    if
    :: !known[p] && recovery > 0 && isJoin -> result = REFUSAL
    :: !known[p] && FLOOR * (members + 1) + drawn > TOTAL -> result = REFUSAL
    :: else
    fi;
    if
    :: result == REPLY ->
        known[p] = true;
        lost[p] = false;
        unknown[p] = false;
        count();
        base = granted[p];
        if
        :: recovery > 0 ->
            /* What a member says that it holds, as far as there is room. Nobody draws. */
            base = MAX(base, MIN(hold, LESS(TOTAL + granted[p], FLOOR * members + drawn)));
            room = 0
        :: else -> room = LESS(TOTAL, FLOOR * MAX(members, RESERVED) + drawn)
        fi;
        granted[p] = MIN(want, base + room);
        returns[p] = (granted[p] > 0 -> STORE_SHARE_TERM : 0);
        forgets[p] = STORE_MEMBER_TERM;
        grant = granted[p]
    :: else
    fi
}

inline forget(p) {
    known[p] = false;
    granted[p] = 0;
    returns[p] = 0;
    forgets[p] = 0
}

/* One tick of the fleet clock. */
inline advanceStore() {
    for (i : 0 .. PROCESSES - 1) {
        returns[i] = LESS(returns[i], 1);
        if
        :: returns[i] == 0 -> granted[i] = 0
        :: else
        fi;
        if
        :: MEMBERSHIPS && forgets[i] > 0 ->
            forgets[i] = forgets[i] - 1;
            if
            :: forgets[i] == 0 -> forget(i)
            :: else
            fi
        :: else
        fi
    }
    if
    :: recovery == 1 ->
        /* From now on the store relies on what it knows. */
        for (i : 0 .. PROCESSES - 1) {
            unknown[i] = ((status[i] == MEMBER || status[i] == DYING) && lost[i])
        }
    :: else
    fi;
    recovery = LESS(recovery, 1)
}

inline send(p, isJoin, want) {
    if
    :: DELAYS && message[p] == REQUEST ->
        delayed[p] = true;
        delayedWanted[p] = wanted[p];
        overtaken[p] = false
    :: else
    fi;
    message[p] = REQUEST;
    joins[p] = isJoin;
    wanted[p] = want;
    /* A request that releases lowers the share when it is sent, because its reply can be lost. */
    share[p] = MIN(share[p], want);
    shareTerm[p] = (share[p] > 0 -> shareTerm[p] : 0);
    held[p] = share[p];
    age[p] = 0
}

inline dropMessage(p) {
    message[p] = NOTHING;
    joins[p] = false;
    wanted[p] = 0;
    held[p] = 0;
    age[p] = 0
}

inline dropDelayed(p) {
    delayed[p] = false;
    delayedWanted[p] = 0;
    overtaken[p] = false
}

inline receive(p) {
    if
    :: message[p] == REFUSAL -> suspend(p)
    :: message[p] == REPLY ->
        if
        :: age[p] < MEMBER_TERM ->
            /* The store may have lost the member since it sent the reply. */
            unknown[p] = (lost[p] && recovery == 0);
            status[p] = MEMBER;
            memberTerm[p] = (MEMBERSHIPS -> MEMBER_TERM - age[p] : MEMBER_TERM)
        :: else
        fi;
        if
        :: age[p] < SHARE_TERM ->
            share[p] = wanted[p];
            shareTerm[p] = (share[p] > 0 -> SHARE_TERM - age[p] : 0);
            noteOverdue(p)
        :: else
        fi
    fi;
    dropMessage(p)
}

inline tick() {
    for (p : 0 .. PROCESSES - 1) {
        shareTerm[p] = LESS(shareTerm[p], 1);
        if
        :: MEMBERSHIPS -> memberTerm[p] = LESS(memberTerm[p], 1)
        :: else
        fi;
        if
        :: message[p] != NOTHING -> age[p] = MIN(age[p] + 1, (MEMBERSHIPS -> MEMBER_TERM : SHARE_TERM))
        :: else
        fi;
        if
        :: status[p] == DYING ->
            status[p] = DEAD;
            used[p] = 0;
            overdue[p] = 0;
            lost[p] = false;
            unknown[p] = false
        :: status[p] <= MEMBER && !stopped[p] -> endTerms(p)
        :: else
        fi
    }
    advanceStore()
}

#define acts(p) (status[p] <= MEMBER && !stopped[p])

/* The actions of one process, and of the network between it and the store. */
proctype Process(byte self) {
end:
    do
    /* The pool opens and closes a connection above the floor. */
    :: d_step { acts(self) && used[self] < share[self] -> used[self] = used[self] + 1; check() }
    :: d_step { acts(self) && used[self] > 0 ->
        used[self] = used[self] - 1;
        overdue[self] = MIN(overdue[self], LESS(used[self], share[self]));
        check()
    }
    /* The member renews, draws one connection, or releases its share. */
    :: d_step { acts(self) && status[self] == MEMBER -> send(self, false, share[self]); check() }
    :: d_step { acts(self) && status[self] == MEMBER && share[self] < BURST -> send(self, false, share[self] + 1); check() }
    :: d_step { acts(self) && status[self] == MEMBER && share[self] > 0 && used[self] == 0 -> send(self, false, 0); check() }
    :: d_step { acts(self) && status[self] == OUTSIDE && MEMBERSHIPS -> send(self, true, 0); check() }
    :: d_step { acts(self) && message[self] >= REPLY -> receive(self); check() }
    /* The store executes a request. A request or reply that is lost is one that is never executed or received. */
    :: d_step { message[self] == REQUEST ->
        overtaken[self] = delayed[self];
        execute(self, joins[self], wanted[self], held[self], message[self], wanted[self]);
        joins[self] = false;
        held[self] = 0;
        check()
    }
    :: d_step { delayed[self] && !overtaken[self] ->
        execute(self, false, delayedWanted[self], 0, ignored, ignored);
        dropDelayed(self);
        check()
    }
    /* The process is killed, stopped and continued. */
    :: d_step { faults < FAULTS && status[self] <= MEMBER ->
        faults++;
        overdue[self] = MAX(overdue[self], (stopped[self] -> LESS(used[self], shareOf(self)) : 0));
        status[self] = (mayUse(self) -> DYING : DEAD);
        stopped[self] = false;
        share[self] = 0;
        shareTerm[self] = 0;
        memberTerm[self] = 0;
        check()
    }
    :: d_step { faults < FAULTS && acts(self) -> faults++; stopped[self] = true; check() }
    :: d_step { stopped[self] -> stopped[self] = false; endTerms(self); check() }
    od
}

proctype World() {
end:
    do
    :: d_step { true -> tick(); check() }
    /* The store's clock jumps forward. */
    :: d_step { faults < FAULTS -> faults++; advanceStore(); check() }
    /* The store restarts or fails over. Requests are lost with their sockets. */
    :: atomic { faults < FAULTS && !(MEMBERSHIPS && hasLost) ->
        faults++;
        hasLost = MEMBERSHIPS;
        recovery = RECOVERY;
        p = 0;
        do
        :: p < PROCESSES ->
            if
            :: message[p] == REQUEST -> dropMessage(p)
            :: else
            fi;
            dropDelayed(p);
            /* The store has forgotten any of its members. */
            if
            :: known[p] ->
                forget(p);
                lost[p] = (MEMBERSHIPS && status[p] != DEAD)
            :: true
            fi;
            p++
        :: else -> break
        od;
        check()
    }
    od
}

init {
    atomic {
        p = 0;
        do
        :: p < PROCESSES ->
            if
            :: p < MEMBERS ->
                status[p] = MEMBER;
                memberTerm[p] = MEMBER_TERM;
                known[p] = true;
                forgets[p] = STORE_MEMBER_TERM
            :: else
            fi;
            run Process(p);
            p++
        :: else -> break
        od;
        run World()
    }
}
