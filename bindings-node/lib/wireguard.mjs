// WireGuard: keys, and the configuration of an interface as `wg-quick` reads it.
import native from './native.mjs';

export const { WireguardKey: PrivateKey, WireguardPeer: Peer, WireguardConfig: Config } = native;

/** A key that two peers share besides their own. */
export function generatePresharedKey() {
  return native.generatePresharedKey();
}

/** Whom an interface talks to. */
export function peer(publicKey, { allowedIps = [], endpoint, presharedKey, persistentKeepalive } = {}) {
  return new Peer(publicKey, presharedKey, { allowedIps, endpoint, persistentKeepalive });
}

/** The configuration of one interface. */
export function config(privateKey, { addresses = [], dns = [], listenPort, mtu, peers = [] } = {}) {
  return new Config(privateKey, { addresses, dns, listenPort, mtu }, peers);
}
