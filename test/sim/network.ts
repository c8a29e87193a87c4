/**
 * Paths between devices, as bad as a world wants them: direct ones that are slow, break with what is on them, swallow all or
 * repeat; and a relay that stores and forwards, repeats what was not confirmed, lets things expire and goes away.
 *
 * A direct path keeps the order of what it carries, and so does the relay of one sender's messages (R1, T1); nothing else keeps
 * any. In an unruly world even that is broken: nothing but what arrives when may depend on it.
 */
import type { DeviceId } from '../../src/base/ids.ts';
import type { Agenda } from './agenda.ts';
import type { Counts } from './counts.ts';
import type { Dice } from './dice.ts';
import type { Packet, SimDevice } from './device.ts';

export interface NetworkConfig {
  /** Milliseconds one way, at least and at most: each pair of devices has its own. */
  readonly latency_ms: readonly [number, number];
  /** Of messages on a direct path, the share that is lost though the path stays. */
  readonly loss: number;
  readonly duplication: number;
  readonly reorders: boolean;
  /** Of what waits at the relay for longer than its time, all is dropped. */
  readonly relayLifetime_ms: number;
}

interface Link {
  readonly ends: readonly [DeviceId, DeviceId];
  readonly latency_ms: number;
  open: boolean;
  /** Takes everything and passes nothing on. */
  dead: boolean;
  /** Counts openings: what was sent before the last is gone. */
  life: number;
  /** When the last that was sent arrives, by direction. */
  readonly busyUntil: Map<DeviceId, number>;
}

interface Letter {
  readonly from: DeviceId;
  readonly bytes: Uint8Array;
  readonly storedAt: number;
}

interface Mailbox {
  letters: Letter[];
  /** How many of them are with the device and not confirmed. */
  out: number;
  lostSome: boolean;
  delivering: boolean;
}

const RELAY_ROUND_TRIP_MS = 40;

export class Network {
  relayUp = true;
  messages = 0;
  bytes = 0;
  /** What somebody may have overheard and could send again. */
  readonly overheard: { readonly from: DeviceId; readonly to: DeviceId; readonly bytes: Uint8Array }[] = [];
  readonly #agenda: Agenda;
  readonly #dice: Dice;
  readonly #config: NetworkConfig;
  readonly #counts: Counts;
  readonly #now: () => number;
  readonly #device: (id: DeviceId) => SimDevice | undefined;
  readonly #isOnline: (id: DeviceId) => boolean;
  readonly #links: Link[] = [];
  /** By the lower of its ends, then by the other. */
  readonly #linksOf = new Map<DeviceId, Map<DeviceId, Link>>();
  readonly #mailboxes = new Map<DeviceId, Mailbox>();
  /** When the last message of a sender reaches the relay: it keeps their order. */
  readonly #submittedUntil = new Map<DeviceId, number>();
  #calm = false;

  constructor(options: {
    agenda: Agenda;
    dice: Dice;
    config: NetworkConfig;
    counts: Counts;
    now: () => number;
    /** A device that is alive. */
    device: (id: DeviceId) => SimDevice | undefined;
    isOnline: (id: DeviceId) => boolean;
  }) {
    this.#agenda = options.agenda;
    this.#dice = options.dice;
    this.#config = options.config;
    this.#counts = options.counts;
    this.#now = options.now;
    this.#device = options.device;
    this.#isOnline = options.isOnline;
  }

  /** From now on nothing is lost, repeated or late. */
  calm(): void {
    this.#calm = true;
    this.relayUp = true;
    for (const link of this.#links) link.dead = false;
  }

  // ---- direct paths ---------------------------------------------------------------------------------------------------------

  isOpen(a: DeviceId, b: DeviceId): boolean {
    return this.#find(a, b)?.open === true;
  }

  open(a: DeviceId, b: DeviceId, dead = false): void {
    const [one, other] = [this.#device(a), this.#device(b)];
    if (!one || !other || !this.#isOnline(a) || !this.#isOnline(b) || this.isOpen(a, b)) return;
    const link = this.#link(a, b);
    link.open = true;
    link.dead = dead && !this.#calm;
    link.life++;
    one.reached(b, 'direct');
    other.reached(a, 'direct');
  }

  /** What is on its way is gone. */
  cut(a: DeviceId, b: DeviceId): void {
    const link = this.#find(a, b);
    if (!link?.open) return;
    link.open = false;
    this.#counts.add('paths broken');
    this.#device(a)?.reached(b, 'none');
    this.#device(b)?.reached(a, 'none');
  }

  cutAll(device: DeviceId): void {
    for (const { ends } of this.#links) if (ends.includes(device)) this.cut(...ends);
  }

  openPaths(): readonly (readonly [DeviceId, DeviceId])[] {
    return this.#links.filter(({ open }) => open).map(({ ends }) => ends);
  }

  #find(a: DeviceId, b: DeviceId): Link | undefined {
    return a < b ? this.#linksOf.get(a)?.get(b) : this.#linksOf.get(b)?.get(a);
  }

  #link(a: DeviceId, b: DeviceId): Link {
    const known = this.#find(a, b);
    if (known) return known;
    const latency_ms = this.#dice.between(...this.#config.latency_ms);
    const ends = a < b ? ([a, b] as const) : ([b, a] as const);
    const link: Link = { ends, latency_ms, open: false, dead: false, life: 0, busyUntil: new Map() };
    this.#links.push(link);
    const ofLower = this.#linksOf.get(ends[0]) ?? new Map<DeviceId, Link>();
    this.#linksOf.set(ends[0], ofLower.set(ends[1], link));
    return link;
  }

  send(from: DeviceId, packet: Packet): void {
    this.#overhear(from, packet);
    if (packet.path === 'relay') return this.#submit(from, packet);
    for (const to of packet.to) this.#sendDirect(from, to, packet.bytes);
  }

  #sendDirect(from: DeviceId, to: DeviceId, bytes: Uint8Array): void {
    this.messages++;
    this.bytes += bytes.length;
    const link = this.#find(from, to);
    if (!link?.open) return;
    if (link.dead) return this.#counts.add('messages into a dead path');
    if (!this.#calm && this.#config.loss > 0 && this.#dice.chance(this.#config.loss)) {
      return this.#counts.add('messages lost');
    }
    const copies = !this.#calm && this.#config.duplication > 0 && this.#dice.chance(this.#config.duplication) ? 2 : 1;
    if (copies > 1) this.#counts.add('messages doubled');
    for (let copy = 0; copy < copies; copy++)
      this.#agenda.put(this.#arrival(link, to), this.#arriving(link, from, to, bytes));
  }

  #arrival(link: Link, to: DeviceId): number {
    const jitter = this.#dice.below(1 + (link.latency_ms >> 2));
    const at = this.#now() + link.latency_ms + jitter;
    if (this.#config.reorders && !this.#calm) {
      if (at < (link.busyUntil.get(to) ?? 0)) this.#counts.add('messages out of order');
      link.busyUntil.set(to, Math.max(at, link.busyUntil.get(to) ?? 0));
      return at;
    }
    const inOrder = Math.max(at, link.busyUntil.get(to) ?? 0);
    link.busyUntil.set(to, inOrder);
    return inOrder;
  }

  #arriving(link: Link, from: DeviceId, to: DeviceId, bytes: Uint8Array): () => void {
    const { life } = link;
    return () => {
      if (!link.open || link.life !== life) return this.#counts.add('messages lost with their path');
      this.#device(to)?.receive(from, 'direct', bytes, () => undefined);
    };
  }

  // ---- the relay --------------------------------------------------------------------------------------------------------------

  #submit(from: DeviceId, { to, bytes, ephemeral, holds }: Packet): void {
    const at = Math.max(this.#now() + RELAY_ROUND_TRIP_MS, this.#submittedUntil.get(from) ?? 0);
    this.#submittedUntil.set(from, at);
    this.#agenda.put(at, () => {
      const sender = this.#device(from);
      if (!sender || !this.relayUp || !this.#isOnline(from)) {
        if (sender && holds) sender.relayFailed(to);
        return;
      }
      this.messages++;
      this.bytes += bytes.length;
      for (const device of to) {
        if (ephemeral && !(this.#device(device) && this.#isOnline(device))) continue;
        this.#mailbox(device).letters.push({ from, bytes, storedAt: this.#now() });
        this.#counts.add('messages by relay');
        this.#deliver(device);
      }
      if (holds) sender.relayed(to, holds);
    });
  }

  #mailbox(device: DeviceId): Mailbox {
    let mailbox = this.#mailboxes.get(device);
    if (!mailbox) {
      mailbox = { letters: [], out: 0, lostSome: false, delivering: false };
      this.#mailboxes.set(device, mailbox);
    }
    return mailbox;
  }

  /** Messages wait for a device, and those it has not confirmed come again (R1). */
  subscribe(device: DeviceId): void {
    const mailbox = this.#mailbox(device);
    mailbox.out = 0;
    const fresh = mailbox.letters.filter(({ storedAt }) => this.#now() - storedAt <= this.#config.relayLifetime_ms);
    if (fresh.length < mailbox.letters.length) {
      this.#counts.add('messages expired at the relay', mailbox.letters.length - fresh.length);
      mailbox.letters = fresh;
      mailbox.lostSome = true;
    }
    this.#device(device)?.relayUp();
    this.#deliver(device);
  }

  get waitingLetters(): number {
    let letters = 0;
    for (const mailbox of this.#mailboxes.values()) letters += mailbox.letters.length;
    return letters;
  }

  #deliver(device: DeviceId): void {
    const mailbox = this.#mailbox(device);
    if (mailbox.delivering) return;
    mailbox.delivering = true;
    this.#agenda.put(this.#now() + RELAY_ROUND_TRIP_MS, () => {
      mailbox.delivering = false;
      const recipient = this.#device(device);
      if (!recipient || !this.relayUp || !this.#isOnline(device)) return;
      if (mailbox.lostSome) {
        mailbox.lostSome = false;
        this.#counts.add('gaps told by the relay');
        recipient.askEveryone();
      }
      const due = mailbox.letters.slice(mailbox.out);
      mailbox.out = mailbox.letters.length;
      for (const letter of due) {
        // Handled may be said at once, or when what it brought is durable; said after a crash it counts for nothing.
        let said = false;
        recipient.receive(letter.from, 'relay', letter.bytes, () => {
          const at = said ? -1 : mailbox.letters.indexOf(letter);
          said = true;
          if (at < 0) return;
          mailbox.letters.splice(at, 1);
          if (mailbox.out > at) mailbox.out--;
        });
      }
    });
  }

  /** The relay comes back: everybody subscribes again. */
  relayBack(online: readonly DeviceId[]): void {
    this.relayUp = true;
    for (const device of online) this.subscribe(device);
  }

  #overhear(from: DeviceId, { to, bytes }: Packet): void {
    const heard = { from, to: to[0]!, bytes };
    if (this.overheard.length < 64) this.overheard.push(heard);
    else if (this.#dice.chance(0.1)) this.overheard[this.#dice.below(64)] = heard;
  }
}
