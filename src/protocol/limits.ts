/**
 * Every length, count, depth, rate and queue that something from outside can fill, with the reason for the figure (D4).
 * Units stand last in the names. A relay publishes its own (R3); these are what the code refuses beyond.
 */
const KIB = 1024;
const MIB = 1024 * KIB;

// Codec
/** Nothing of ours nests deeper than 6; a decoder's stack must not depend on a peer. */
export const MAX_CBOR_DEPTH = 12;
/** One message (S1): bounds what a peer makes us hold before we can check it. */
export const MAX_MESSAGE_BYTES = 1 * MIB;
/** A delta holds a decision, not file bytes (L2). A chunk list of 4,096 entries and 50 members' boxes fit in. */
export const MAX_DELTA_BYTES = 256 * KIB;
/** D5. */
export const MAX_DEPS = 32;
/** A batch is sent when it has this much (S1): big enough to amortise sealing, small enough to interleave. */
export const BATCH_BYTES = 64 * KIB;

// Channel
/** A Noise message may have 65,535 bytes, 16 of them the tag (Noise §3). */
export const MAX_NOISE_MESSAGE_BYTES = 65_535;
/** R3: frame of 64 KiB with its header and tag. */
export const MAX_FRAME_PAYLOAD_BYTES = 65_000;
/** A handshake that takes longer is a peer that holds a socket for nothing. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Silence after which a connection is taken for dead; both sides ping at a third of it. */
export const CONNECTION_IDLE_MS = 45_000;
/** Strangers' connections at once: a device under attack keeps room for its members. */
export const MAX_INBOUND_CONNECTIONS = 256;
/** Of these, how many may be in the handshake at once (each costs three curve operations). */
export const MAX_PENDING_HANDSHAKES = 32;
/** What may wait unsent to one peer in memory; beyond it the sender waits or, if ephemeral, drops. */
export const MAX_SEND_BUFFER_BYTES = 8 * MIB;

// Relay (R3, R4, R9): defaults of the operator's settings
export const RELAY_QUEUE_BYTES = 64 * MIB;
export const RELAY_QUEUE_MESSAGES = 50_000;
/** One sender may fill at most this share of a queue. */
export const RELAY_SENDER_SHARE = 1 / 4;
export const RELAY_MAX_RECIPIENTS = 256;
export const RELAY_TTL_DAYS = 30;
/** First contact (a sender whose capability is not known): its own small queue. */
export const RELAY_FIRST_CONTACT_MESSAGES = 32;
export const RELAY_FIRST_CONTACT_BYTES = 1 * MIB;
export const RELAY_PARCEL_QUOTA_BYTES = 2 * 1024 * MIB;
export const RELAY_MAX_PARCEL_BYTES = 256 * MIB;
/** What a parcel counts beside its bytes: it is a row and a file, and 32,768 of them are enough for an account. */
export const RELAY_PARCEL_EACH_BYTES = 64 * KIB;
/** One read or write of a parcel; smaller than a message with its header. */
export const RELAY_PARCEL_SLICE_BYTES = 512 * KIB;
/** Capabilities a device may have confirmed: 50 workspaces, several epochs and invitations each. */
export const RELAY_MAX_CAPABILITIES = 4_096;

// Engine
/** The last moment that a Date has: whoever shows one beyond stops there. */
export const MAX_TIME_MS = 8_640_000_000_000_000;
/** Deltas that wait for their past (D5), of one workspace: an hour of a busy team. */
export const MAX_WAITING_DELTAS = 10_000;
export const MAX_WAITING_BYTES = 32 * MIB;
/** Deltas asked for by id at once (D8): what hangs together comes with the next asking. */
export const MAX_FETCH_IDS = 256;
/** A part of an initial copy (L6): as much as a batch, so that it takes turns with what is new. */
export const MAX_BASE_PART_BYTES = 64 * KIB;
/** 4 GiB of rows: a hundred times what a team of 50 writes in ten years. */
export const MAX_BASE_PARTS = 65_536;
/** Feeds in it with their branches: every device that ever was, some generations each. */
export const MAX_BASE_LANES = 4_096;
/** What waits to be folded names them: all heads that there were at the time, which are few at any. */
export const MAX_BASE_PLACES = 100_000;
/** Ten years of a busy team, an hour a day of nothing but changes of members. */
export const MAX_BASE_CONTROLS = 100_000;
export const MAX_BASE_ROWS = 4_000_000;
/** Numbers that all pasts in it are counted by, zeros too: 100,000 deltas of 300 feeds; they take 256 MiB, and a few bytes promise thousands. */
export const MAX_BASE_PAST_NUMBERS = 2 ** 25;
/** Room that is made for a base when its first part is read from disk: so much may be promised by whoever wrote that part. */
export const MAX_BASE_PLACE_BYTES = 256 * MIB;
/** Keys that somebody has sent before the word of their making (K1): it follows at once, or is not taken here, or there is none. */
export const MAX_UNANNOUNCED_KEYS = 16;
/** Messages under an epoch whose key has not come yet, kept until it has; the relay keeps those beyond. */
export const MAX_LOCKED_MESSAGES = 256;
export const MAX_LOCKED_BYTES = 8 * MIB;
/** That came by a relay while the disk takes nothing, to be acknowledged when it does: as many as a queue keeps. What is beyond is given again. */
export const MAX_UNSAVED_MESSAGES = 50_000;
/** A new feed is begun a random step above the last (D2), of half a million on average: eight thousand fit. */
export const MAX_FEED_GENERATION = 0xffff_ffff;
/** Joins that wait for a decision: more is a flood, the oldest unanswered stay. */
export const MAX_PENDING_JOINS = 64;
export const MAX_MEMBERS = 50;
/** Devices that were let in, and are not in by that: two who use an invitation up at once are two, and more than a few are made up. */
export const MAX_TOLD_IN_VAIN = 64;
/** Told with the word that takes somebody out: what that stands by. Each may box a key to 600 devices, 40 KB, and all are in one message. */
export const MAX_GROUNDS_TOLD = 8;
/** So often who waits for whom is looked through for one batch: ten thousand that wait are ten milliseconds. */
export const MAX_LOOKS_A_BATCH = 4;
/** Twelve for each member; their boxes in one delta take 40 KiB. */
export const MAX_DEVICES = 12 * MAX_MEMBERS;
/** Whom a device that was dropped may ask to come back (L7): it is enough that one of them is still there. */
export const MAX_RETURN_ROUTES = 32;
/** Words by which he who asks was out (N2): seldom more than one of each that he asks. Others he does not listen to: they are made up. */
export const MAX_SINCE_WORDS = 16;
/** Who have told a joiner that he is in, to be remembered (N4): as many as he asked, and those who answer for them. */
export const MAX_VOUCHERS = 64;
/** Of one account: what a person has, with room for machines that were lost and not taken out. */
export const MAX_OWN_DEVICES = 32;
/** A link code: long enough to walk to the other machine (I2). */
export const LINK_CODE_LASTS_MS = 10 * 60_000;
export const MAX_TOOLS = 100;
/** Calls of windows that are known by what they made (L3): those that an owner had not answered when it ended are the last, and few. */
export const MAX_MADE_CALLS = 1_024;
/** Of a window's random prefix and a number. */
export const MAX_CALL_KEY_LENGTH = 64;
/** An invitation is at most 7,680 characters long; its seal and padding add an eighth. */
export const MAX_SEALED_INVITATION_BYTES = 9 * KIB;
/** Workspaces that members continue elsewhere and ask one into: beyond it the oldest unanswered stay. */
export const MAX_OFFERS = 64;
/** R3-like: what a workspace's invitations may number while open. */
export const MAX_OPEN_INVITATIONS = 100;

// Words people type
/** In UTF-8 bytes: fits every tree row and every file system. */
export const MAX_NAME_BYTES = 255;
export const MAX_CHAT_TEXT_BYTES = 32 * KIB;
export const MAX_ADDRESS_BYTES = 512;
export const MAX_ADDRESSES = 16;

// Files
/** FastCDC (F1): minimum, average and maximum of a chunk; a file of up to 256 KiB is one chunk. */
export const CHUNK_MIN_BYTES = 64 * KIB;
export const CHUNK_AVERAGE_BYTES = 256 * KIB;
export const CHUNK_MAX_BYTES = 960 * KIB;
export const SINGLE_CHUNK_BYTES = 256 * KIB;
/** Chunk ids that stand in a version itself; a longer list is itself content, in chunks. */
export const MAX_INLINE_CHUNKS = 64;
/** Chunks under this size live in packs (L2). */
export const PACK_BELOW_BYTES = 64 * KIB;
/** A file. */
export const MAX_FILE_BYTES = 16 * 1024 * MIB;
/** Chunks of one file: 262,144, the longest with every chunk at its minimum, as one that repeats itself may be cut. As a rule it has a quarter of that. */
export const MAX_LISTED_CHUNKS = Math.ceil(MAX_FILE_BYTES / CHUNK_MIN_BYTES);
/** Versions of a file that stand beside each other (F2): as many as one that comes after all of them can name. */
export const MAX_HEADS = 32;
/** Of these of one member: more is no conflict, and those of the others need room. */
export const MAX_HEADS_OF_MEMBER = 8;
/** Folders in folders; deeper paths break other systems' limits. */
export const MAX_FOLDER_DEPTH = 64;
/** Binary differences in a row that must be walked to read a file; past it a version is stored whole. */
export const MAX_PATCH_CHAIN = 512;
/** What walking them may hash and copy in all: 64 MiB take about 50 ms. */
export const MAX_PATCH_CHAIN_WORK_BYTES = 64 * MIB;
/** Parcels that were offered and not fetched yet, of one workspace: a member who offers more offers nonsense; the oldest are asked for again. */
export const MAX_OFFERED_PARCELS = 4_096;
/** Chunks that these name: two files of the greatest length, as they are cut as a rule. */
export const MAX_OFFERED_CHUNKS = 131_072;
/**
 * Chunks that versions name and that are not here, in memory, of one workspace: one file of the most chunks there are, or 64 GiB as files are cut as
 * a rule; they take about 100 MB. What is named beyond is looked for again when there is room, and what is opened always has it.
 */
export const MAX_LACKING_CHUNKS = 262_144;
/** Chunks asked of one peer and not yet answered: 4 MiB keeps a fast path busy. */
export const MAX_CHUNK_REQUESTS = 16;

// Transport
/** Devices that no route names, connected at once: joiners knock this way, and so does whoever scans the port. */
export const MAX_STRANGER_CONNECTIONS = 32;
/** What a stranger may send before he is known: a join request is a few KiB. */
export const STRANGER_BURST_BYTES = 2 * MIB;
export const STRANGER_BYTES_PER_S = 128 * KIB;
/** Frames and pings of a stranger: each costs a decryption or an answer. */
export const STRANGER_BURST_FRAMES = 256;
export const STRANGER_FRAMES_PER_S = 32;
/** Connections of one device at once: two cross in a simultaneous connect, a third is a restart that was not noticed. */
export const MAX_CONNECTIONS_PER_DEVICE = 3;
/** Addresses heard on the LAN for one device: IPv4 and IPv6 of two adapters. */
export const MAX_LAN_CANDIDATES = 4;
/** Other people's relays that are kept connected: beyond it the one idle for longest is closed. */
export const MAX_VISITED_RELAYS = 32;
/** Bodies submitted to one relay and not yet answered; the rest waits with the caller. */
export const RELAY_IN_FLIGHT_BYTES = 4 * MIB;
/** Slices of a parcel on their way at once: 2 MiB fill a path of 160 Mbit/s at 100 ms. */
export const PARCEL_SLICES_IN_FLIGHT = 4;
/** A file that is still kept as a difference against its parent (F1): above it chunks do the same work without reading the parent. */
export const MAX_PATCHED_BYTES = 4 * SINGLE_CHUNK_BYTES;
/** A difference travels inside its delta, before other members' chunks: as much as one batch, no more. */
export const MAX_PATCH_BYTES = 64 * KIB;
/** The list of a file's chunks where it is content itself: 45 bytes for each. */
export const MAX_CHUNK_LIST_BYTES = MAX_LISTED_CHUNKS * 45;
