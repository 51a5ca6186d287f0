import type { Secret } from './index.js';

/** The private half of an X25519 key. Whoever has it is the peer. */
export class PrivateKey {
  private constructor();
  /** Reads a key as `wg` writes it. */
  static parse(key: string | Secret): PrivateKey;
  /** Draws a new one. */
  static generate(): PrivateKey;
  /** The public half, which the other peers are told. */
  readonly publicKey: string;
  /** The key as `wg` writes it. */
  toSecret(): Secret;
  /** `[redacted]`. */
  toString(): string;
  /** Without anything secret. */
  toJSON(): { publicKey: string };
}

/** A key that two peers share besides their own. */
export function generatePresharedKey(): Secret;

/** Whom an interface talks to: a section `[Peer]`. */
export class Peer {
  private constructor();
  readonly publicKey: string;
  /** What is sent to the peer, and what it may send from. */
  readonly allowedIps: string[];
  /** Where it is reached, `host:port`. */
  readonly endpoint: string | null;
  readonly presharedKey: Secret | null;
  /** Seconds. */
  readonly persistentKeepalive: number | null;
  /** Without anything secret. */
  toJSON(): Record<string, unknown>;
}

/** Puts a peer together. */
export function peer(
  publicKey: string,
  options?: {
    /** Networks like `10.0.0.0/24`. */
    allowedIps?: readonly string[];
    /** `host:port` or `[address]:port`. */
    endpoint?: string;
    presharedKey?: string | Secret;
    /** Seconds, never 0. */
    persistentKeepalive?: number;
  },
): Peer;

/** The configuration of one interface, as `wg-quick` reads it. */
export class Config {
  private constructor();
  /** Reads strictly: a configuration with a command in it (`PostUp`) is refused. */
  static parse(text: string | Secret): Config;
  readonly privateKey: PrivateKey;
  readonly addresses: string[];
  readonly dns: string[];
  readonly listenPort: number | null;
  readonly mtu: number | null;
  readonly peers: Peer[];
  /** The text for `wg-quick`, for a file of root's with mode 0600. */
  toSecret(): Secret;
  /** Without anything secret. */
  toJSON(): Record<string, unknown>;
}

/** Puts a configuration together. */
export function config(
  privateKey: PrivateKey,
  options?: {
    /** The node's own addresses, like `10.0.0.2/24`. */
    addresses?: readonly string[];
    /** Servers, and domains to search. */
    dns?: readonly string[];
    listenPort?: number;
    /** Bytes. */
    mtu?: number;
    peers?: readonly Peer[];
  },
): Config;
