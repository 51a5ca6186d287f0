import type { Secret } from './index.js';
import type { Instant } from './vocabulary.js';

/** A bootstrap token: a public id and a secret. */
export class BootstrapToken {
  private constructor();
  /** Reads `<id>.<secret>`. */
  static parse(text: string | Secret): BootstrapToken;
  /** Draws a new one. */
  static generate(): BootstrapToken;
  /** The public part: it names the Secret and the signature, and may be logged. */
  readonly id: string;
  /** The name of the Secret that makes it work, in namespace `kube-system`. */
  readonly secretName: string;
  /** The whole token, as a node presents it. */
  toSecret(): Secret;
  /** `<id>.[redacted]`. */
  toString(): string;
  /** `<id>.[redacted]`. */
  toJSON(): string;
}

/** The Secret of type `bootstrap.kubernetes.io/token` that makes a bootstrap token work. */
export class BootstrapSecret {
  private constructor();
  /** `bootstrap-token-<id>`. */
  readonly name: string;
  /** `kube-system`. */
  readonly namespace: string;
  /** The manifest for `kubectl apply`, with the token in it. */
  toYaml(): Secret;
  /** The manifest for the API, as JSON text with the token in it. */
  toManifest(): Secret;
  /** Its name, without anything secret. */
  toJSON(): { namespace: string; name: string };
}

/** Puts the Secret of a token together. */
export function bootstrapSecret(
  token: BootstrapToken,
  options: {
    /** When the token expires; written in whole seconds, never later. */
    expiresAt: Instant;
    /** The mark that tells it from objects of the same name: an executor deletes nothing that bears another. */
    owner: string;
    /** The instance that it is labelled with. */
    instance?: string;
    /** The groups of whoever authenticates with it; kubeadm's node group when left out. */
    groups?: readonly string[];
    /** A line for people. */
    description?: string;
    /** Further labels. */
    labels?: Record<string, string>;
  },
): BootstrapSecret;

interface Cluster {
  /** The API server's URL. */
  readonly server: string;
  /** The cluster's authorities, in PEM. */
  readonly authority: Uint8Array;
  /** The pins of the authorities, `sha256:<hex>`, in their order. */
  pins(): string[];
  /** The kubeconfig for `kubeadm join --discovery-file`, with the token in it. */
  kubeconfig(token: BootstrapToken): Secret;
}

/**
 * `cluster-info`: where the cluster is and which authority it has. Everybody may read it and nothing in it proves
 * itself: a host that reads it with its own credentials over TLS has it from the API server, a node proves it.
 */
export class ClusterInfo implements Cluster {
  private constructor();
  /** Reads the ConfigMap `kube-public/cluster-info`, as YAML or JSON. */
  static fromConfigMap(text: string): ClusterInfo;
  /** Reads the member `kubeconfig` of the ConfigMap alone. */
  static fromKubeconfig(text: string): ClusterInfo;
  readonly server: string;
  readonly authority: Uint8Array;
  pins(): string[];
  kubeconfig(token: BootstrapToken): Secret;
  /** Proves that whoever published it knows the token. */
  verify(token: BootstrapToken): VerifiedClusterInfo;
  /** Proves that at least one of the authorities has a pinned key, as kubeadm does. */
  verifyPinned(pins: readonly string[]): VerifiedClusterInfo;
}

/** A proven `cluster-info`. Evidence: only `verify` and `verifyPinned` make one. */
export class VerifiedClusterInfo implements Cluster {
  private constructor();
  readonly server: string;
  readonly authority: Uint8Array;
  pins(): string[];
  kubeconfig(token: BootstrapToken): Secret;
}

/** The detached signature that Kubernetes' bootstrap signer writes into `cluster-info` for a token. */
export function signDetached(content: string, token: BootstrapToken): string;

/** Throws unless the signature was made with the token over the content. */
export function verifyDetached(content: string, token: BootstrapToken, signature: string): void;

/** The pin of a certificate authority, `sha256:<hex>`, from its certificate in PEM or DER. */
export function caPin(certificate: Uint8Array | string): string;
