/** Limits of signing in that no setting changes; docs/limits.md lists them. */

/** Bytes of SHA-256, and of the keys of SCRAM with it. */
export const keyBytes = 32;
/** Iterations of PBKDF2 that a password is hashed with, as PostgreSQL's. */
export const scramIterations = 4096;
/** Iterations above which a verifier is not taken: its client would compute for minutes. */
export const scramIterationsMax = 10_000_000;
/** Bytes of a verifier's salt, as PostgreSQL's. */
export const scramSaltBytes = 16;
/** Bytes of the server's half of a nonce, before Base64, as PostgreSQL's. */
export const scramNonceBytes = 18;
/** Bytes of a message of SASL, as PostgreSQL's. */
export const saslMessageBytesMax = 1024;
/** Milliseconds between two looks whether certificates have changed. */
export const certificateCheckMs = 5000;
