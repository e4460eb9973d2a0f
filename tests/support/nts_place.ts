/**
 * What tests of Network Time Security with whole daemons need: certificates on disk, ports,
 * configurations.
 *
 * Limits: everything is on the loopback address, under the name "localhost".
 *
 * @module
 */
import {
  type CertificateWish,
  makeCertificate,
  type TestCertificate,
} from "./test_certificates.ts";
import { freePort, type TemporaryFolder, temporaryFolder } from "./places.ts";

const NOBODY = 65534;

/** A certificate and its key as files. */
export interface CertificateFiles {
  /** The path of the certificate. */
  readonly certificate: string;
  /** The path of the key. */
  readonly key: string;
}

/** A server of keys and time. */
export interface ServerWish {
  /** Its certificate; that of the place unless given. */
  readonly files?: CertificateFiles;
  /** The UDP port of the time; none is served when null. */
  readonly timePort?: number | null;
  /** The TCP port of the key exchange; none is served when null. */
  readonly keyExchangePort?: number | null;
  /** The UDP port that clients are sent to; that of the time unless given. */
  readonly ntpPort?: number;
  /** The server that clients are sent to. */
  readonly ntpServer?: string;
  /** The file of its keys; none unless given. */
  readonly keys?: string;
}

/** A source with Network Time Security. */
export interface SourceWish {
  /** Where keys are exchanged; the place's port on localhost unless given. */
  readonly address?: string;
  /** The file of authorities; that of the place unless given. */
  readonly authority?: string;
  /** The algorithms to offer. */
  readonly aead?: string;
}

/** A client of such sources. */
export interface ClientWish {
  /** How many sources must agree; 1 unless given. */
  readonly agreeing?: number;
  /** Whether dates are always believed; true unless given. */
  readonly strict?: boolean;
  /** Where keys are kept. */
  readonly cookies?: string;
}

/** A folder with an authority, a certificate for localhost, and free ports. */
export class NtsPlace implements AsyncDisposable {
  /** A folder for everything. */
  readonly folder: TemporaryFolder;
  /** Who signed the certificate. */
  readonly issuer: TestCertificate;
  /** The certificate of that as a file. */
  readonly authority: string;
  /** A certificate for localhost and 127.0.0.1. */
  readonly files: CertificateFiles;
  /** A UDP port. */
  readonly timePort: number;
  /** A TCP port. */
  readonly keyExchangePort: number;

  private constructor(parts: {
    readonly folder: TemporaryFolder;
    readonly issuer: TestCertificate;
    readonly authority: string;
    readonly files: CertificateFiles;
    readonly ports: readonly [number, number];
  }) {
    this.folder = parts.folder;
    this.issuer = parts.issuer;
    this.authority = parts.authority;
    this.files = parts.files;
    [this.timePort, this.keyExchangePort] = parts.ports;
  }

  /** Makes a place; the authority is called "Test Authority" unless another name is given. */
  static async make(commonName = "Test Authority"): Promise<NtsPlace> {
    const folder = await temporaryFolder();
    // A daemon that root starts goes on as nobody, and keeps its keys here.
    if (Deno.uid() === 0) await Deno.chown(folder.path, NOBODY, NOBODY);
    const issuer = makeCertificate({ commonName, authority: true });
    const authority = await folder.write("authority.pem", text(issuer.certificate));
    const files = await writeCertificate(folder, "server", { ...LOCALHOST, issuer });
    const ports = [await freePort(), await freePort()] as const;
    return new NtsPlace({ folder, issuer, authority, files, ports });
  }

  /** Writes another certificate, signed by the place's authority unless the wish says otherwise. */
  certificate(name: string, wish: Partial<CertificateWish>): Promise<CertificateFiles> {
    return writeCertificate(this.folder, name, { ...LOCALHOST, issuer: this.issuer, ...wish });
  }

  /** Writes the configuration of a server whose clock is right by definition. */
  server(wish: ServerWish = {}): string {
    const { files = this.files } = wish;
    const timePort = wish.timePort === undefined ? this.timePort : wish.timePort;
    const exchangePort = wish.keyExchangePort === undefined
      ? this.keyExchangePort
      : wish.keyExchangePort;
    return [
      "[synchronization]",
      "local-stratum = 1",
      ...(timePort === null ? [] : ["[[server]]", `listen = "127.0.0.1:${timePort}"`]),
      ...(exchangePort === null ? [] : [
        "[[nts-ke-server]]",
        `listen = "127.0.0.1:${exchangePort}"`,
        `certificate-chain-path = "${files.certificate}"`,
        `private-key-path = "${files.key}"`,
        `ntp-port = ${wish.ntpPort ?? timePort ?? this.timePort}`,
        ...(wish.ntpServer === undefined ? [] : [`ntp-server = "${wish.ntpServer}"`]),
      ]),
      ...(wish.keys === undefined ? [] : ["[keyset]", `key-storage-path = "${wish.keys}"`]),
      "",
    ].join("\n");
  }

  /** Writes the configuration of a client that asks about every second. */
  client(sources: readonly SourceWish[] = [{}], wish: ClientWish = {}): string {
    return [
      "[source-defaults]",
      "poll-interval-limits = { min = 0, max = 1 }",
      "initial-poll-interval = 0",
      ...sources.flatMap((source) => [
        "[[source]]",
        'mode = "nts"',
        "iburst = true",
        `address = "${source.address ?? `localhost:${this.keyExchangePort}`}"`,
        `certificate-authority = "${source.authority ?? this.authority}"`,
        ...(source.aead === undefined ? [] : [`aead-algorithms = ["${source.aead}"]`]),
      ]),
      "[synchronization]",
      `minimum-agreeing-sources = ${wish.agreeing ?? 1}`,
      "[nts]",
      `strict = ${wish.strict ?? true}`,
      ...(wish.cookies === undefined ? [] : [`cookie-storage-path = "${wish.cookies}"`]),
      "",
    ].join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

const LOCALHOST: CertificateWish = {
  commonName: "localhost",
  names: ["DNS:localhost", "IP:127.0.0.1"],
};

async function writeCertificate(
  folder: TemporaryFolder,
  name: string,
  wish: CertificateWish,
): Promise<CertificateFiles> {
  const made = makeCertificate(wish);
  return {
    certificate: await folder.write(`${name}.pem`, text(made.certificate)),
    key: await folder.write(`${name}-key.pem`, text(made.privateKey)),
  };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
