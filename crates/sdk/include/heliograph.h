/* heliograph.h: the twelve calls of the kernel, for payloads in C.
 *
 * Compile for wasm32 without a library, for instance
 *
 *   clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry -o program.wasm program.c
 *   zig cc -target wasm32-freestanding -O2 -nostdlib -Wl,--no-entry -o ...
 *
 * docs/SYSCALLS.md says what each call takes, does and answers. A result below
 * zero is a negated number of enum helio_error. All integers are
 * little-endian, as they are in memory here; what a structure calls zero must
 * be zero. Numbers and sizes are held to crates/abi by a test.
 */
#ifndef HELIOGRAPH_H
#define HELIOGRAPH_H

#include <stdint.h>

#ifdef __wasm__
#define HELIO_IMPORT(name) __attribute__((import_module("heliograph"), import_name(#name)))
#define HELIO_EXPORT(name) __attribute__((export_name(#name)))
#else
#define HELIO_IMPORT(name)
#define HELIO_EXPORT(name)
#endif

#define HELIO_SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)

/* A handle: slot in the low 16 bits, generation in the high 16. Those that the
 * manifest lists, or the parent passed on, are 0, 1, 2 and so on. */
typedef uint32_t helio_handle;

#define HELIO_MAILBOX ((helio_handle)0xFFFFFFFE)   /* the task's own queue */
#define HELIO_NO_HANDLE ((helio_handle)0xFFFFFFFF) /* none */
#define HELIO_EVER UINT64_MAX                      /* a time that never comes */
#define HELIO_UNLIMITED UINT32_MAX                 /* any number of uses */
#define HELIO_MESSAGE_BYTES 4096                   /* longest message */
#define HELIO_CLAIM_BODY_MAX 128                   /* longest body of a claim */
#define HELIO_NEAREST_MAX 64                       /* most neighbours at once */
#define HELIO_CAPABILITIES 64                      /* most passed at a spawn */
#define HELIO_EXIT_REPORT 0xFFFFFF01u              /* type of a struct helio_exit */

/* Why a call was denied; the call returns the negated number. */
enum helio_error {
    /* halt */
    HELIO_HALTED = 1, /* the operator has stopped the machine */
    HELIO_CUT_SHORT = 2, /* the task, or the machine, ended before the call completed */

    /* arguments */
    HELIO_BAD_POINTER = 16, /* the memory range is not inside the caller's memory */
    HELIO_BAD_LENGTH = 17, /* the length is zero or larger than the call takes */
    HELIO_OVERLAP = 18, /* two memory ranges of the call overlap */
    HELIO_BAD_OPERATION = 19, /* the call has no such operation */
    HELIO_BAD_ARGUMENT = 20, /* an argument has a value that means nothing */
    HELIO_NOT_FINITE = 21, /* a number is not finite */

    /* capability */
    HELIO_BAD_HANDLE = 32, /* the handle names no capability of the caller */
    HELIO_STALE_HANDLE = 33, /* the handle's slot was reused since */
    HELIO_WRONG_KIND = 34, /* the capability is for another kind of object */
    HELIO_MISSING_RIGHT = 35, /* the capability lacks a right that the call needs */
    HELIO_REVOKED = 36, /* the capability was revoked */
    HELIO_EXPIRED = 37, /* the capability has expired */
    HELIO_EXHAUSTED = 38, /* the capability has no uses left */
    HELIO_AMPLIFICATION = 39, /* the grant asks for more than the giver holds */
    HELIO_TOO_DEEP = 40, /* the capability is derived as deep as it may be */

    /* proof */
    HELIO_PROOF_REQUIRED = 48, /* the mutation needs a proof */
    HELIO_TIER_TOO_LOW = 49, /* the proof is of a lower tier than the object takes */
    HELIO_BAD_SIGNATURE = 50, /* the signature does not hold */
    HELIO_UNTRUSTED_KEY = 51, /* the signer is not trusted for this */
    HELIO_REVOKED_KEY = 52, /* the signer's key was revoked */
    HELIO_UNSIGNED = 53, /* the file carries no signature */
    HELIO_WRONG_OBJECT = 54, /* the proof is for another object */
    HELIO_WRONG_SLOT = 55, /* the proof is for another slot */
    HELIO_WRONG_MUTATION = 56, /* the proof is for another mutation */
    HELIO_STALE_STATE = 57, /* the slot changed since the proof was made */
    HELIO_REPLAYED = 58, /* the nonce was used before, or is too old */
    HELIO_PROOF_EXPIRED = 59, /* the proof has expired */
    HELIO_GUARD_REFUSED = 60, /* the guard program refused */
    HELIO_VERSION_TOO_OLD = 61, /* the package's version is below the least one trusted */
    HELIO_NOT_APPROVED = 62, /* no standing approval covers the claim */

    /* effect */
    HELIO_UNSUPPORTED = 80, /* this build does not do that */
    HELIO_QUEUE_FULL = 81, /* the queue is full */
    HELIO_TIMED_OUT = 82, /* nothing arrived before the deadline */
    HELIO_OUT_OF_RANGE = 83, /* the range is not inside the object */
    HELIO_NOT_FOUND = 84, /* there is nothing by that name or key */
    HELIO_ALREADY_EXISTS = 85, /* there is already something by that name or key */
    HELIO_TABLE_FULL = 86, /* the table of such objects is full */
    HELIO_WRONG_MODE = 87, /* the object is of a type that does not allow it */
    HELIO_WRONG_TYPE = 88, /* the message's type is not the queue's */
    HELIO_BUSY = 89, /* the object is in use */
    HELIO_OUT_OF_MEMORY = 90, /* the machine has no memory left for it */
    HELIO_FUEL_BUDGET = 91, /* the partition's budget of fuel is spent */
    HELIO_BYTE_BUDGET = 92, /* the partition's budget of bytes is spent */
    HELIO_ZERO_NORM = 93, /* the vector's norm is zero */
    HELIO_OVER_BUDGET = 94, /* the budget asked for is more than the caller has */
    HELIO_TOO_SMALL = 96, /* the answer does not fit into the caller's window */
    HELIO_STORE_FULL = 97, /* the store has no free slot */
    HELIO_REGION_FULL = 98, /* the region has no room left */
    HELIO_STALE_SLOT = 99, /* the slot of the slab was freed or reused since */
    HELIO_NOT_RVF = 112, /* the file is not an RVF file */
    HELIO_TRUNCATED = 113, /* the file ends before its last segment does */
    HELIO_BAD_SEGMENT = 114, /* a segment's header breaks the format */
    HELIO_BAD_MANIFEST = 115, /* the manifest is not what the format says */
    HELIO_DIGEST_MISMATCH = 116, /* a part's SHA-256 is not the one in the manifest */
    HELIO_MISSING_PART = 117, /* the manifest names a part that the file does not have */
    HELIO_DUPLICATE_NAME = 118, /* the manifest names two objects alike */
    HELIO_NOT_WASM = 128, /* the component is not a Wasm module this machine runs */
    HELIO_UNKNOWN_IMPORT = 129, /* the component imports something that is not offered */
    HELIO_MISSING_EXPORT = 130, /* the component does not export what it must */
    HELIO_MEMORY_LIMIT = 131, /* the component needs more memory than it may have */
    HELIO_START_FAILED = 132, /* the component failed while it was set up */

    /* witness */
    HELIO_RECORD_BUDGET = 144, /* the partition's budget of records is spent */
    HELIO_LOG_FULL = 145, /* the log has no room left */
};

/* Rights, as bits. */
enum helio_right {
    HELIO_READ = 1,
    HELIO_WRITE = 2,
    HELIO_GRANT = 4,
    HELIO_REVOKE = 8,
    HELIO_EXECUTE = 16,
    HELIO_PROVE = 32,
    HELIO_MOUNT = 64,
    HELIO_GRANT_ONCE = 128
};

/* Operations, by call. */
enum {
    HELIO_CAP_GRANT_GRANT = 0,
    HELIO_CAP_GRANT_REVOKE = 1,
    HELIO_CAP_GRANT_DROP = 2,

    HELIO_REGION_MAP_READ = 0,
    HELIO_REGION_MAP_APPEND = 1,
    HELIO_REGION_MAP_WRITE = 2,
    HELIO_REGION_MAP_CREATE = 3,
    HELIO_REGION_MAP_FREE = 4,

    HELIO_QUEUE_SEND_PLAIN = 0,
    HELIO_QUEUE_SEND_REFERENCE = 1,

    HELIO_TIMER_WAIT_ABSOLUTE = 0,
    HELIO_TIMER_WAIT_RELATIVE = 1,

    HELIO_RVF_MOUNT_MOUNT = 0,
    HELIO_RVF_MOUNT_UNMOUNT = 1,

    HELIO_ATTEST_EMIT_CLAIM = 0,
    HELIO_ATTEST_EMIT_APPROVE = 1,

    HELIO_VECTOR_GET_BY_KEY = 0,
    HELIO_VECTOR_GET_NEAREST = 1,
    HELIO_VECTOR_GET_NEIGHBOURS = 2,

    HELIO_GRAPH_APPLY_PROVED_ADD_NODE = 0,
    HELIO_GRAPH_APPLY_PROVED_REMOVE_NODE = 1,
    HELIO_GRAPH_APPLY_PROVED_ADD_EDGE = 2,
    HELIO_GRAPH_APPLY_PROVED_REMOVE_EDGE = 3,
    HELIO_GRAPH_APPLY_PROVED_SET_WEIGHT = 4
};

/* task_spawn: how a task starts; handles to pass on follow, 4 bytes each. */
struct helio_spawn {
    uint64_t fuel;
    uint64_t deadline; /* logical ns, HELIO_EVER for none */
    uint32_t memory;   /* bytes */
    uint32_t capabilities;
    uint8_t priority;
    uint8_t is_reactor;
    uint8_t zero[6];
};
HELIO_SIZE(struct helio_spawn, 32);

/* cap_grant, grant. */
struct helio_grant {
    helio_handle to; /* the receiver's task capability */
    uint8_t rights;
    uint8_t zero[3];
    uint64_t badge;
    uint64_t expiry; /* logical ns, HELIO_EVER for the giver's own */
    uint32_t uses;   /* HELIO_UNLIMITED for any number */
    uint32_t zero_too;
};
HELIO_SIZE(struct helio_grant, 32);

/* queue_recv: what stands before the message. */
struct helio_message {
    uint64_t badge;
    uint32_t kind;
    uint32_t length;
    uint8_t priority;
    uint8_t is_reference; /* the message is a struct helio_reference */
    uint8_t zero[6];
};
HELIO_SIZE(struct helio_message, 24);

/* queue_send, reference; and a message that is one. */
struct helio_reference {
    helio_handle region;
    uint32_t zero;
    uint64_t offset;
    uint64_t length;
};
HELIO_SIZE(struct helio_reference, 24);

/* How a child ended, in the mailbox. */
struct helio_exit {
    uint32_t subject;
    uint8_t outcome; /* 0 exit, 1 trap, 2 out of fuel, 3 budget, 4 killed */
    uint8_t zero[3];
    int32_t code;
    helio_handle task;
};
HELIO_SIZE(struct helio_exit, 16);

/* attest_emit, approve: the body. */
struct helio_approval {
    uint8_t old_leaf[32];
    uint64_t expiry;
};
HELIO_SIZE(struct helio_approval, 40);

/* What an approver signs, after "heliograph-proof@v1\n". */
struct helio_statement {
    uint8_t store[32];
    uint32_t slot;
    uint32_t zero;
    uint8_t old_leaf[32];
    uint8_t mutation[32]; /* SHA-256 of the mutation's bytes */
    uint64_t nonce;
    uint64_t expiry;
};
HELIO_SIZE(struct helio_statement, 120);

/* A signed proof; it follows the mutation that it is of. */
struct helio_proof {
    struct helio_statement statement;
    uint8_t key[32];
    uint8_t signature[64];
};
HELIO_SIZE(struct helio_proof, 216);

/* vector_put_proved: the mutation; `dimension` floats follow. */
struct helio_put {
    uint64_t key;
    uint32_t slot;
    uint32_t dimension;
};
HELIO_SIZE(struct helio_put, 16);

/* graph_apply_proved: the mutation. Of a node, `to` and `weight` are zero. */
struct helio_change {
    uint32_t operation; /* the same as the call's */
    uint32_t slot;
    uint64_t from;
    uint64_t to;
    float weight;
    uint32_t zero;
};
HELIO_SIZE(struct helio_change, 32);

/* vector_get, by key. */
struct helio_get_by_key {
    uint64_t key;
    uint32_t with_opening; /* 0 or 1 */
    uint32_t zero;
};
HELIO_SIZE(struct helio_get_by_key, 16);

/* vector_get, nearest; the query follows. */
struct helio_get_nearest {
    uint32_t k;
    uint32_t is_exact; /* 0 or 1 */
    uint32_t visit;    /* nodes of the index, 0 for the default */
    uint32_t zero;
};
HELIO_SIZE(struct helio_get_nearest, 16);

/* vector_get, neighbours. */
struct helio_get_neighbours {
    uint64_t key;
    uint64_t other;
    uint32_t of; /* 0 edges out to `other` and beyond, 1 the node, 2 the edge */
    uint32_t zero;
};
HELIO_SIZE(struct helio_get_neighbours, 24);

/* By key: the answer; the vector follows, then the opening if asked for. */
struct helio_entry {
    uint32_t slot;
    uint32_t writes; /* 0 where there is none: `slot` is where it would go */
    uint32_t subject;
    uint32_t sequence;
    float coherence;
    uint32_t dimension;
};
HELIO_SIZE(struct helio_entry, 24);

/* Neighbours, of a node or an edge: the answer; the opening follows. */
struct helio_node {
    uint32_t slot;
    uint32_t writes;
    uint32_t subject;
    uint32_t sequence;
    uint32_t degree;
    uint32_t is_present;
};
HELIO_SIZE(struct helio_node, 24);

/* Nearest, and neighbours of a node: the answer is some of these. */
struct helio_neighbour {
    uint64_t key;
    float score; /* or the edge's weight */
    uint32_t slot;
};
HELIO_SIZE(struct helio_neighbour, 16);

/* The opening of a slot; `depth` siblings of 32 bytes follow, leaf first. */
struct helio_opening {
    uint8_t leaf[32];
    uint8_t root[32];
    uint32_t depth;
    uint32_t zero;
};
HELIO_SIZE(struct helio_opening, 72);

/* region_map, create: the words that stand where others have an offset. */
#define HELIO_REGION_IMMUTABLE UINT64_C(0)
#define HELIO_REGION_APPEND(bytes) (UINT64_C(1) | (uint64_t)(bytes) << 32)
#define HELIO_REGION_SLAB(slot_bytes, slots) \
    (UINT64_C(2) | (uint64_t)(slot_bytes) << 8 | (uint64_t)(slots) << 32)

/* queue_send: the word of operation and priority. */
#define HELIO_PRIORITY(operation, priority) ((uint32_t)(operation) << 8 | (uint8_t)(priority))

HELIO_IMPORT(task_spawn)
int64_t helio_task_spawn(helio_handle component, const void *arguments, uint32_t length);

HELIO_IMPORT(cap_grant)
int64_t helio_cap_grant(helio_handle capability, uint32_t operation, const void *arguments,
                        uint32_t length);

HELIO_IMPORT(region_map)
int64_t helio_region_map(helio_handle capability, uint32_t operation, uint64_t offset, void *bytes,
                         uint32_t length);

HELIO_IMPORT(queue_send)
int64_t helio_queue_send(helio_handle queue, uint32_t kind, uint32_t priority, const void *bytes,
                         uint32_t length);

HELIO_IMPORT(queue_recv)
int64_t helio_queue_recv(helio_handle queue, uint64_t deadline, void *window, uint32_t length);

HELIO_IMPORT(timer_wait)
int64_t helio_timer_wait(helio_handle timer, uint32_t operation, uint64_t ns);

HELIO_IMPORT(rvf_mount)
int64_t helio_rvf_mount(helio_handle names, uint32_t operation, helio_handle region,
                        const char *path, uint32_t length);

/* `kind` is the type of a claim, or the slot that an approval is for. */
HELIO_IMPORT(attest_emit)
int64_t helio_attest_emit(helio_handle capability, uint32_t operation, uint32_t kind,
                          const uint8_t digest[32], const void *body, uint32_t length);

HELIO_IMPORT(vector_get)
int64_t helio_vector_get(helio_handle store, uint32_t operation, const void *arguments,
                         uint32_t length, void *answer, uint32_t room);

HELIO_IMPORT(vector_put_proved)
int64_t helio_vector_put_proved(helio_handle store, helio_handle proof, const void *mutation,
                                uint32_t length);

HELIO_IMPORT(graph_apply_proved)
int64_t helio_graph_apply_proved(helio_handle store, uint32_t operation, helio_handle proof,
                                 const void *mutation, uint32_t length);

HELIO_IMPORT(sensor_subscribe)
int64_t helio_sensor_subscribe(helio_handle sensor, helio_handle queue);

#endif
