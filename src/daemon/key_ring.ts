/**
 * The symmetric keys of a running daemon: what sources and servers authenticate with (RFC 5905
 * section 7.3, RFC 8573).
 *
 * The keys may change with a reload; what was made from the ring asks it anew for each packet, so a
 * removed key is of no use from then on. Limits: a key whose length does not fit its type counts as
 * missing, and is told once at loading.
 *
 * @module
 */
import { macProtection, missingKeyProtection } from "../association/mac_protection.ts";
import type { PacketProtection } from "../association/protection.ts";
import type { Result } from "../base/result.ts";
import type { KeyKind } from "../control/control_view.ts";
import type { KeyType, SymmetricKey } from "../config/key_file.ts";
import { type MacKey, macKey, type MacType } from "../crypto/mac.ts";
import { AccessRules } from "../server/access.ts";
import { type MacResponder, SymmetricKeys } from "../server/authentication.ts";

const MAC_TYPES: Readonly<Record<KeyType, MacType>> = {
  md5: "MD5",
  sha1: "SHA1",
  sha256: "SHA256",
  sha384: "SHA384",
  sha512: "SHA512",
  aes128: "AES128",
  aes256: "AES256",
};

/** Holds the keys by number. */
export class KeyRing {
  readonly #responder = new SymmetricKeys(new Map());
  #keys: ReadonlyMap<number, MacKey> = new Map();
  #kinds: ReadonlyMap<number, KeyKind> = new Map();

  /** Replaces all keys; returns sentences about those that cannot be used. */
  load(keys: ReadonlyMap<number, SymmetricKey>): readonly string[] {
    const usable = new Map<number, MacKey>();
    const kinds = new Map<number, KeyKind>();
    const origins = new Map<number, AccessRules>();
    const errors: string[] = [];
    for (const { id, type, secret, addresses } of keys.values()) {
      const key = macKey(MAC_TYPES[type], secret);
      const rules = addresses && originRules(addresses);
      if (!key.ok) errors.push(`Key ${id} cannot be used: ${key.error}`);
      else if (rules?.ok === false) errors.push(`Key ${id} cannot be used: ${rules.error}`);
      else {
        usable.set(id, key.value);
        kinds.set(id, { algorithm: type, bits: 8 * secret.length });
        if (rules !== undefined) origins.set(id, rules.value);
      }
    }
    this.#keys = usable;
    this.#kinds = kinds;
    this.#responder.replace(usable, origins);
    return errors;
  }

  /** Returns the kind of a key that can be used; undefined for a number without one. */
  kindOf(id: number): KeyKind | undefined {
    return this.#kinds.get(id);
  }

  /**
   * Makes the protection of a source by a key; without the key nothing is sent and nothing
   * believed.
   */
  protection(id: number): PacketProtection {
    const current = () => {
      const key = this.#keys.get(id);
      return key === undefined ? missingKeyProtection() : macProtection(id, key);
    };
    return {
      authentication: "mac",
      protect: (header, random) => current().protect(header, random),
      verify: (packet, uniqueIdentifier) => current().verify(packet, uniqueIdentifier),
    };
  }

  /** What servers check and sign with; it follows the keys. */
  get responder(): MacResponder {
    return this.#responder;
  }
}

function originRules(addresses: readonly string[]): Result<AccessRules, string> {
  return AccessRules.build({ allowlist: { filter: addresses, action: "ignore" } });
}
