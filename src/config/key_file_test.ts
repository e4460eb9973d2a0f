import { deepEqual, equal } from "node:assert/strict";
import fc from "../../tests/support/properties.ts";
import { toHex } from "../base/bytes.ts";
import { parseKeyFile } from "./key_file.ts";

function keys(text: string): readonly (readonly [number, string, string])[] {
  const parsed = parseKeyFile(text);
  deepEqual(parsed.errors, []);
  return [...parsed.keys.values()].map(({ id, type, secret }) => [id, type, toHex(secret)]);
}

function errors(
  text: string,
): readonly (readonly [number | undefined, string, string | undefined])[] {
  return parseKeyFile(text).errors.map((
    { line, message, suggestion },
  ) => [line, message, suggestion]);
}

Deno.test("a key file of chrony is read", () => {
  deepEqual(
    keys(
      `# comment
1 MD5 ASCII:AVeryLongAndRandomPassword01
! another comment
10 tulip
11 hyacinth
20 MD5 ASCII:crocus
25 SHA1 HEX:933F62BE1D604E68A81B557F18CFA200483F5B70
30 AES128 HEX:7EA62AE64D190114D46D5A082F948EC1
31 AES-256-CMAC HEX:37DDCBC67BB902BCB8E995977FAB4D2B5642F5B32EBCEEE421921D97E5CBFE39
`,
    ),
    [
      [1, "md5", "41566572794c6f6e67416e6452616e646f6d50617373776f72643031"],
      [10, "md5", "74756c6970"],
      [11, "md5", "68796163696e7468"],
      [20, "md5", "63726f637573"],
      [25, "sha1", "933f62be1d604e68a81b557f18cfa200483f5b70"],
      [30, "aes128", "7ea62ae64d190114d46d5a082f948ec1"],
      [31, "aes256", "37ddcbc67bb902bcb8e995977fab4d2b5642f5b32ebceee421921d97e5cbfe39"],
    ],
  );
});

Deno.test("a key file of ntpd is read", () => {
  deepEqual(
    keys(`# ntpkey_MD5key_host.3 comment
 1 MD5 L";Nw<\`.I<f4U0)247"i  # MD5 key
2\tM  20characters-or-less
11 SHA1 e27611234bb5e7cdfc8a8ace55b567f2ec7620fa  # SHA1 key
12 AES 000102030405060708090a0b0c0d0e0f 192.0.2.1
`),
    [
      [1, "md5", "4c223b4e773c602e493c66345530293234372269"],
      [2, "md5", "3230636861726163746572732d6f722d6c657373"],
      [11, "sha1", "e27611234bb5e7cdfc8a8ace55b567f2ec7620fa"],
      [12, "aes128", "000102030405060708090a0b0c0d0e0f"],
    ],
  );
});

Deno.test("all errors are told with their lines, and no key is shown", () => {
  const text = `x MD5 secretsecret
0 MD5 secretsecret
5
6 MD6 secretsecret
7 secretpart secretsecret
8 SHA1 HEX:secretsecret
9 AES128 HEX:00ff
10 MD5 secretsecret
10 MD5 secretsecret
11 MD5 ASCII:
`;
  deepEqual(errors(text), [
    [1, "Wanted the number of a key from 1 to 4294967295 at the start of the line", undefined],
    [2, "Wanted the number of a key from 1 to 4294967295 at the start of the line", undefined],
    [3, "Key 5 is incomplete: wanted NUMBER TYPE KEY", undefined],
    [
      4,
      "Key 6 has an unknown type; wanted MD5, SHA1, SHA256, SHA384, SHA512, AES128 or AES256",
      "did you mean MD5?",
    ],
    [
      5,
      "Key 7 has an unknown type; wanted MD5, SHA1, SHA256, SHA384, SHA512, AES128 or AES256",
      undefined,
    ],
    [6, "Key 8 is not hexadecimal", "write ASCII: before characters"],
    [7, "Key 9: wanted 16 octets for AES128, found 2", undefined],
    [9, "Key 10 is there twice, first on line 8", undefined],
    [10, "Key 11 is empty", undefined],
  ]);
  equal(JSON.stringify(errors(text)).includes("secret"), false);
});

Deno.test("the name of a type is no key, if nothing but a comment follows it", () => {
  const { keys: read, errors: told } = parseKeyFile("1 MD5 #secret\n2 sha1\n3 AES #s\n4 tulip #\n");
  deepEqual([...read.keys()], [4]);
  deepEqual(told.map(({ id }) => id), [1, 2, 3]);
  equal(told[0]?.message, "Key 1 is incomplete: wanted NUMBER TYPE KEY");
  equal(told[0]?.suggestion?.includes("begins a comment"), true);
  equal(JSON.stringify(told).includes("secret"), false);
});

Deno.test("the addresses after a key are read, and further words are told", () => {
  const { keys, errors: told } = parseKeyFile(`1 MD5 one 192.0.2.1,198.51.100.7/24,2001:DB8::1
2 MD5 two
3 MD5 three 192.0.2.1 192.0.2.2
4 MD5 four words of a key
5 MD5 five 192.0.2.1,
`);
  deepEqual([...keys.values()].map(({ id, addresses }) => [id, addresses]), [
    [1, ["192.0.2.1/32", "198.51.100.0/24", "2001:db8::1/128"]],
    [2, undefined],
  ]);
  deepEqual(told.map(({ id, line }) => [id, line]), [[3, 3], [4, 4], [5, 5]]);
  equal(
    told[0]?.message,
    "Key 3: wanted the end of the line or addresses after the key, found something else",
  );
  equal(JSON.stringify(told).includes("words of"), false);
});

Deno.test("a file from another system is read, and characters that are not UTF-8 do not become a key", () => {
  deepEqual(keys("\ufeff1 MD5 one\r\n2 MD5 two\r\n").map(([id]) => id), [1, 2]);
  const { keys: read, errors: told } = parseKeyFile(
    "1 MD5 gr\ufffdn\n2 MD5 two\u200b\n3 MD5 three\n",
  );
  deepEqual([...read.keys()], [3]);
  deepEqual(told.map(({ line }) => line), [1, 2]);
});

Deno.test("of a file that is none so many errors are told and no more", () => {
  const { keys: read, errors: told } = parseKeyFile("what is this\n".repeat(1000));
  deepEqual([read.size, told.length], [0, 21]);
  equal(told[20]?.message, "The rest of the file is not read");
});

Deno.test("property: no text makes the reader throw", () => {
  fc.assert(fc.property(fc.array(fc.string()), (lines) => {
    parseKeyFile(lines.join("\n"));
    parseKeyFile(lines.map((line) => `1 MD5 ${line}`).join("\n"));
  }));
});
