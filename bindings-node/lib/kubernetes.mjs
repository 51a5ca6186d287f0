// What a Kubernetes node needs to join: a bootstrap token, its Secret, and a kubeconfig that `kubeadm join` takes.
import { bytesOf, moment } from './carry.mjs';
import native from './native.mjs';

export const { BootstrapToken, BootstrapSecret, ClusterInfo, VerifiedClusterInfo } = native;

/** The Secret that makes a bootstrap token work, as a value that writes manifests. */
export function bootstrapSecret(token, { expiresAt, owner, instance, groups, description, labels = {} } = {}) {
  const members = { expiresAt: moment(expiresAt, 'expiresAt'), owner, instance, groups, description };
  return new native.BootstrapSecret(token, { ...members, labels: Object.entries(labels).flat() });
}

/** The detached signature that Kubernetes' bootstrap signer writes into `cluster-info` for a token. */
export function signDetached(content, token) {
  return native.signDetached(content, token);
}

/** Throws unless the signature was made with the token over the content. */
export function verifyDetached(content, token, signature) {
  native.verifyDetached(content, token, signature);
}

/** The pin of a certificate authority, `sha256:<hex>`, from its certificate in PEM or DER. */
export function caPin(certificate) {
  return native.caPin(bytesOf(certificate, 'certificate'));
}
