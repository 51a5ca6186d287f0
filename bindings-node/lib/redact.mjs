// How the native classes show themselves: secrets never do.
import { inspect } from 'node:util';

import { take } from './carry.mjs';
import native from './native.mjs';

const REDACTED = '[redacted]';

function methods(constructor, own) {
  for (const [name, value] of Object.entries(own)) {
    Object.defineProperty(constructor.prototype, name, { value, configurable: true, writable: true });
  }
}

function shown(constructor, show) {
  Object.defineProperty(constructor.prototype, inspect.custom, {
    value(depth, options) {
      const { head = constructor.name, ...members } = show.call(this);
      if (Object.keys(members).length === 0) return options.stylize(head, 'special');
      return `${head} ${inspect(members, { ...options, depth: depth === null ? null : depth - 1 })}`;
    },
    configurable: true,
    writable: true,
  });
}

methods(native.Secret, { toString: () => REDACTED, toJSON: () => REDACTED });
shown(native.Secret, () => ({ head: `Secret ${REDACTED}` }));

for (const evidence of [native.InstanceEvent, native.InstanceIdentity]) {
  methods(evidence, {
    toJSON() {
      return take(this.describe());
    },
  });
  shown(evidence, function () {
    return this.toJSON();
  });
}
Object.defineProperty(native.InstanceEvent.prototype, 'change', {
  get() {
    return this.toJSON().change;
  },
  configurable: true,
});

methods(native.NodeKey, {
  toString: () => REDACTED,
  toJSON() {
    return { algorithm: this.algorithm, thumbprint: this.thumbprint };
  },
});
shown(native.NodeKey, function () {
  return { head: `NodeKey ${this.algorithm} ${this.thumbprint} ${REDACTED}` };
});

methods(native.BootstrapToken, {
  toString() {
    return `${this.id}.${REDACTED}`;
  },
  toJSON() {
    return `${this.id}.${REDACTED}`;
  },
});
shown(native.BootstrapToken, function () {
  return { head: `BootstrapToken ${this.id}.${REDACTED}` };
});

methods(native.BootstrapSecret, {
  toJSON() {
    return { namespace: this.namespace, name: this.name };
  },
});
shown(native.BootstrapSecret, function () {
  return { head: `BootstrapSecret ${this.namespace}/${this.name} ${REDACTED}` };
});

for (const info of [native.ClusterInfo, native.VerifiedClusterInfo]) {
  methods(info, {
    toJSON() {
      return { server: this.server, pins: this.pins() };
    },
  });
  shown(info, function () {
    return this.toJSON();
  });
}

for (const shows of [native.UnverifiedToken, native.VerifiedToken, native.HelperRequest, native.HelperReply]) {
  methods(shows, {
    toJSON() {
      return take(this.describe());
    },
  });
  shown(shows, function () {
    return this.toJSON();
  });
}

methods(native.Issuer, {
  toString: () => REDACTED,
  toJSON() {
    return { publicKey: this.publicKey };
  },
});
shown(native.Issuer, function () {
  return { head: `Issuer ${this.publicKey} ${REDACTED}` };
});

methods(native.VerifiedLink, {
  toJSON() {
    return { package: this.package, number: this.number, expiresAt: this.expiresAt };
  },
});
shown(native.VerifiedLink, function () {
  return this.toJSON();
});

methods(native.WireguardKey, {
  toString: () => REDACTED,
  toJSON() {
    return { publicKey: this.publicKey };
  },
});
shown(native.WireguardKey, function () {
  return { head: `PrivateKey of ${this.publicKey} ${REDACTED}` };
});

methods(native.WireguardPeer, {
  toJSON() {
    const { publicKey, allowedIps, endpoint, persistentKeepalive } = this;
    return { publicKey, allowedIps, endpoint, persistentKeepalive };
  },
});
shown(native.WireguardPeer, function () {
  return { head: 'Peer', ...this.toJSON() };
});

methods(native.WireguardConfig, {
  toJSON() {
    const { addresses, dns, listenPort, mtu, peers } = this;
    return { publicKey: this.privateKey.publicKey, addresses, dns, listenPort, mtu, peers };
  },
});
shown(native.WireguardConfig, function () {
  return { head: 'Config', ...this.toJSON() };
});

methods(native.JoinTokenRequest, {
  toJSON() {
    return { ttl: this.ttl, agentId: this.agentId };
  },
});
shown(native.JoinTokenRequest, function () {
  return { head: `JoinTokenRequest ${REDACTED}`, ...this.toJSON() };
});

methods(native.AliasEntry, { toString: () => REDACTED, toJSON: () => REDACTED });
shown(native.AliasEntry, () => ({ head: `AliasEntry ${REDACTED}` }));

methods(native.SpireBundle, {
  toJSON() {
    const { trustDomain, sequence, refreshHintSeconds } = this;
    return { trustDomain, sequence, refreshHintSeconds };
  },
});
shown(native.SpireBundle, function () {
  return { head: 'Bundle', ...this.toJSON() };
});

for (const document of [native.UserData, native.FirstBoot]) {
  methods(document, { toString: () => REDACTED, toJSON: () => REDACTED });
  shown(document, () => ({ head: `${document.name} ${REDACTED}` }));
}
