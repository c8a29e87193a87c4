/** Bounds of the calls between a window and the owner of the store. Units stand last in the names. */
const MIB = 1024 * 1024;

/** Raised whenever a message or the api changes its shape; build ids catch what nobody thought to raise it for. */
export const RPC_PROTOCOL = 3;
/** One call or answer: a whole file read or written through an editor tab, which no editor opens beyond this. */
export const MAX_RPC_MESSAGE_BYTES = 256 * MIB;
/** What may wait unsent for a guest that does not read; beyond it the connection is closed and the guest comes again. */
export const MAX_RPC_UNSENT_BYTES = 512 * MIB;
/** Calls of one client on their way; the next ones wait in the client. */
export const MAX_RPC_IN_FLIGHT = 256;
/** A server closes a connection that has more on the way: our client never does. */
export const MAX_RPC_SERVED_AT_ONCE = 2 * MAX_RPC_IN_FLIGHT;
/** Calls that wait in a client: a search over a large tree fits, a runaway loop is told. */
export const MAX_RPC_WAITING = 20_000;
/** A call that has met its owner's end this often may well be the reason for it. */
export const MAX_RPC_SENDS = 3;
/** Outcomes remembered for calls that come a second time (L3): far more than all clients have in flight. */
export const MAX_REMEMBERED_CALLS = 4_096;
/** Chats that one window shows at once: far more tabs than anybody looks at. */
export const MAX_CHATS_SHOWN = 256;
/** Windows of one person on one store. */
export const MAX_GUESTS = 64;
/** A local peer proves itself at once; one that does not holds a socket for nothing. */
export const RPC_AUTHENTICATION_MS = 5_000;
/** What was sent before a close may take this long to go out. */
export const RPC_LINGER_MS = 500;
/** An owner that does not answer in this time is stalled: in use, and never robbed (L3). */
export const RPC_STALLED_MS = 10_000;
/** Of these a guest waits one for any word of its owner before it asks for one, and one more before it says that there is none. */
export const STALL_PARTS = 4;
/** "Ask again" is worth saying this often at most: a view redraws no faster. */
export const EVENT_PAUSE_MS = 50;
/** Changes of files wait for each other only as long as nobody sees it. */
export const FILES_PAUSE_MS = 10;
/** Changes in one event: more are split, so that no single decode is long. */
export const MAX_CHANGES_PER_EVENT = 500;
/** An owner whose last flush takes longer is ended: the journal is safe by then, or never will be. */
export const CLOSE_TIMEOUT_MS = 10_000;
/** How long a new window tries to find or become the owner while others come and go. */
export const ELECTION_MS = 30_000;
/** Between two tries of an election; short, since a takeover is to be done in 2 s (L3). */
export const ELECTION_PAUSE_MS = 25;
