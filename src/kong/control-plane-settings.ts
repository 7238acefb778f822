/** How the control plane is reached; the core's `controlPlane` block with files already read. */
export interface ControlPlaneSettings {
  /** `host:port` of `cluster_listen`, tried in this order. */
  readonly addresses: readonly string[];
  /**
   * PEM. `shared`: the cluster certificate, and behind it any other that the control plane may present while
   * certificates are exchanged. `pki`: our own certificate and its intermediates.
   */
  readonly certificate: string;
  /** PEM, of the first certificate. */
  readonly key: string;
  readonly mtls: 'shared' | 'pki';
  /** PEM, `pki` only: what the control plane's certificate must chain to. */
  readonly ca?: string;
  /** `pki` only: the name its certificate must carry; default the host of the address. */
  readonly serverName?: string;
}
