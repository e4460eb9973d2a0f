/**
 * Published test vectors for the AEAD algorithms, as data: every implementation must agree with all of them.
 *
 * Sources: RFC 5297 appendix A, RFC 8452 appendix C.1, the unit tests of chrony (values as quoted in its reports), the GCM
 * specification of McGrew and Viega (test cases 13 and 14).
 *
 * @module
 */
import type { AeadId } from "../../src/crypto/aead.ts";

/** One sealed message; everything but the number is hexadecimal. */
export interface AeadVector {
  /** Where the vector is published. */
  readonly source: string;
  /** The algorithm. */
  readonly id: AeadId;
  /** The key. */
  readonly key: string;
  /** The nonce. */
  readonly nonce: string;
  /** The associated data, one component. */
  readonly associatedData: string;
  /** The plaintext. */
  readonly plaintext: string;
  /** What sealing gives. */
  readonly sealed: string;
}

const CHRONY_SIV = {
  source: "chrony siv.c",
  id: 15,
  key: "0123456789abcdeff0123456789abcdeef0123456789abcddef0123456789abc",
  nonce: "101112131415161718191a1b1c1d1e1f",
} as const;

const CHRONY_GCM_SIV = {
  source: "chrony siv.c",
  id: 30,
  key: "0123456789abcdeff0123456789abcde",
  nonce: "101112131415161718191a1b",
} as const;

const DATA = "4c9d4fcaed8ae2baad3f3ea6e93c8c8b";
const TEXT = "ba997931237e3c53587ed49302abe4a7";

/** Key, nonce, associated data, plaintext and result of the 24 cases of RFC 8452 appendix C.1. */
const RFC_8452: readonly (readonly [string, string, string, string, string])[] = [
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "",
    "",
    "dc20e2d83f25705bb49e439eca56de25",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "",
    "0100000000000000",
    "b5d839330ac7b786578782fff6013b815b287c22493a364c",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "",
    "010000000000000000000000",
    "7323ea61d05932260047d942a4978db357391a0bc4fdec8b0d106639",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "",
    "01000000000000000000000000000000",
    "743f7c8077ab25f8624e2e948579cf77303aaf90f6fe21199c6068577437a0c4",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "",
    "0100000000000000000000000000000002000000000000000000000000000000",
    "84e07e62ba83a6585417245d7ec413a9fe427d6315c09b57ce45f2e3936a94451a8e45dcd4578c667cd86847bf6155ff",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "",
    "010000000000000000000000000000000200000000000000000000000000000003000000000000000000000000000000",
    "3fd24ce1f5a67b75bf2351f181a475c7b800a5b4d3dcf70106b1eea82fa1d64df42bf7226122fa92e17a40eeaac1201b5e6e311dbf395d35b0fe39c2714388f8",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "",
    "01000000000000000000000000000000020000000000000000000000000000000300000000000000000000000000000004000000000000000000000000000000",
    "2433668f1058190f6d43e360f4f35cd8e475127cfca7028ea8ab5c20f7ab2af02516a2bdcbc08d521be37ff28c152bba36697f25b4cd169c6590d1dd39566d3f8a263dd317aa88d56bdf3936dba75bb8",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "01",
    "0200000000000000",
    "1e6daba35669f4273b0a1a2560969cdf790d99759abd1508",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "01",
    "020000000000000000000000",
    "296c7889fd99f41917f4462008299c5102745aaa3a0c469fad9e075a",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "01",
    "02000000000000000000000000000000",
    "e2b0c5da79a901c1745f700525cb335b8f8936ec039e4e4bb97ebd8c4457441f",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "01",
    "0200000000000000000000000000000003000000000000000000000000000000",
    "620048ef3c1e73e57e02bb8562c416a319e73e4caac8e96a1ecb2933145a1d71e6af6a7f87287da059a71684ed3498e1",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "01",
    "020000000000000000000000000000000300000000000000000000000000000004000000000000000000000000000000",
    "50c8303ea93925d64090d07bd109dfd9515a5a33431019c17d93465999a8b0053201d723120a8562b838cdff25bf9d1e6a8cc3865f76897c2e4b245cf31c51f2",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "01",
    "02000000000000000000000000000000030000000000000000000000000000000400000000000000000000000000000005000000000000000000000000000000",
    "2f5c64059db55ee0fb847ed513003746aca4e61c711b5de2e7a77ffd02da42feec601910d3467bb8b36ebbaebce5fba30d36c95f48a3e7980f0e7ac299332a80cdc46ae475563de037001ef84ae21744",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "010000000000000000000000",
    "02000000",
    "a8fe3e8707eb1f84fb28f8cb73de8e99e2f48a14",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "010000000000000000000000000000000200",
    "0300000000000000000000000000000004000000",
    "6bb0fecf5ded9b77f902c7d5da236a4391dd029724afc9805e976f451e6d87f6fe106514",
  ],
  [
    "01000000000000000000000000000000",
    "030000000000000000000000",
    "0100000000000000000000000000000002000000",
    "030000000000000000000000000000000400",
    "44d0aaf6fb2f1f34add5e8064e83e12a2adabff9b2ef00fb47920cc72a0c0f13b9fd",
  ],
  [
    "e66021d5eb8e4f4066d4adb9c33560e4",
    "f46e44bb3da0015c94f70887",
    "",
    "",
    "a4194b79071b01a87d65f706e3949578",
  ],
  [
    "36864200e0eaf5284d884a0e77d31646",
    "bae8e37fc83441b16034566b",
    "46bb91c3c5",
    "7a806c",
    "af60eb711bd85bc1e4d3e0a462e074eea428a8",
  ],
  [
    "aedb64a6c590bc84d1a5e269e4b47801",
    "afc0577e34699b9e671fdd4f",
    "fc880c94a95198874296",
    "bdc66f146545",
    "bb93a3e34d3cd6a9c45545cfc11f03ad743dba20f966",
  ],
  [
    "d5cc1fd161320b6920ce07787f86743b",
    "275d1ab32f6d1f0434d8848c",
    "046787f3ea22c127aaf195d1894728",
    "1177441f195495860f",
    "4f37281f7ad12949d01d02fd0cd174c84fc5dae2f60f52fd2b",
  ],
  [
    "b3fed1473c528b8426a582995929a149",
    "9e9ad8780c8d63d0ab4149c0",
    "c9882e5386fd9f92ec489c8fde2be2cf97e74e93",
    "9f572c614b4745914474e7c7",
    "f54673c5ddf710c745641c8bc1dc2f871fb7561da1286e655e24b7b0",
  ],
  [
    "2d4ed87da44102952ef94b02b805249b",
    "ac80e6f61455bfac8308a2d4",
    "2950a70d5a1db2316fd568378da107b52b0da55210cc1c1b0a",
    "0d8c8451178082355c9e940fea2f58",
    "c9ff545e07b88a015f05b274540aa183b3449b9f39552de99dc214a1190b0b",
  ],
  [
    "bde3b2f204d1e9f8b06bc47f9745b3d1",
    "ae06556fb6aa7890bebc18fe",
    "1860f762ebfbd08284e421702de0de18baa9c9596291b08466f37de21c7f",
    "6b3db4da3d57aa94842b9803a96e07fb6de7",
    "6298b296e24e8cc35dce0bed484b7f30d5803e377094f04709f64d7b985310a4db84",
  ],
  [
    "f901cfe8a69615a93fdf7a98cad48179",
    "6245709fb18853f68d833640",
    "7576f7028ec6eb5ea7e298342a94d4b202b370ef9768ec6561c4fe6b7e7296fa859c21",
    "e42a3c02c25b64869e146d7b233987bddfc240871d",
    "391cc328d484a4f46406181bcd62efd9b3ee197d052d15506c84a9edd65e13e9d24a2a6e70",
  ],
];

/** All vectors. */
export const AEAD_VECTORS: readonly AeadVector[] = [
  { ...CHRONY_SIV, associatedData: "", plaintext: "", sealed: "223eb594e0e0254b00258e219a1ca421" },
  {
    ...CHRONY_SIV,
    associatedData: DATA,
    plaintext: "",
    sealed: "d7201989c6dbc6d661fc62bc865eeeef",
  },
  {
    ...CHRONY_SIV,
    associatedData: DATA,
    plaintext: TEXT,
    sealed: "5c052365f4570aa0fb383ece9b7585eb688519360c7c481140cb9b579a0e6532",
  },
  {
    ...CHRONY_GCM_SIV,
    associatedData: "",
    plaintext: "",
    sealed: "ba051c40eb7e5fa23f6ce5befe5b04ad",
  },
  {
    ...CHRONY_GCM_SIV,
    associatedData: DATA,
    plaintext: "",
    sealed: "8f47fe1f264ee2995f353d267414d43b",
  },
  {
    ...CHRONY_GCM_SIV,
    associatedData: DATA,
    plaintext: TEXT,
    sealed: "a310ae5f26d990faab3029807f936223838fc95790bb0587021157d6139b824d",
  },
  ...RFC_8452.map(([key, nonce, associatedData, plaintext, sealed]): AeadVector => ({
    source: "RFC 8452 C.1",
    id: 30,
    key,
    nonce,
    associatedData,
    plaintext,
    sealed,
  })),
  {
    source: "GCM test case 13",
    id: 2,
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    associatedData: "",
    plaintext: "",
    sealed: "530f8afbc74536b9a963b4f1c4cb738b",
  },
  {
    source: "GCM test case 14",
    id: 2,
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    associatedData: "",
    plaintext: "00".repeat(16),
    sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
  },
];

/** S2V with other numbers of components than Network Time Security uses: hexadecimal, components without the plaintext. */
export const SIV_COMPONENT_VECTORS: readonly {
  readonly source: string;
  readonly key: string;
  readonly components: readonly string[];
  readonly plaintext: string;
  readonly sealed: string;
}[] = [
  {
    source: "RFC 5297 A.1",
    key: "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
    components: ["101112131415161718191a1b1c1d1e1f2021222324252627"],
    plaintext: "112233445566778899aabbccddee",
    sealed: "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c",
  },
  {
    source: "RFC 5297 A.2",
    key: "7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f",
    components: [
      "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100",
      "102030405060708090a0",
      "09f911029d74e35bd84156c5635688c0",
    ],
    plaintext:
      "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553",
    sealed:
      "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d",
  },
  {
    source: "facebook/time aessiv tests",
    key: "00".repeat(64),
    components: [""],
    plaintext: "",
    sealed: "7009249e60b613d224028adcc038d4ac",
  },
];
