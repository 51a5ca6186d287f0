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

const envelope = ({ messageId, topicArn, timestamp, signatureVersion }) => ({
  messageId,
  topicArn,
  timestamp,
  signatureVersion,
});

methods(native.Notification, {
  toJSON() {
    const { subject, message } = this;
    return { ...envelope(this), ...(subject == null ? {} : { subject }), message };
  },
});
// Its URL holds a token, so it is in no log.
for (const evidence of [native.Confirmation, native.Unsubscription]) {
  methods(evidence, {
    toJSON() {
      return envelope(this);
    },
  });
}
// What was published is the publisher's business, and may be long.
for (const evidence of [native.Notification, native.Confirmation, native.Unsubscription]) {
  shown(evidence, function () {
    return envelope(this);
  });
}

methods(native.InstanceEvent, {
  toJSON() {
    return take(this.describe());
  },
});
Object.defineProperty(native.InstanceEvent.prototype, 'change', {
  get() {
    return this.toJSON().change;
  },
  configurable: true,
});
shown(native.InstanceEvent, function () {
  return this.toJSON();
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
