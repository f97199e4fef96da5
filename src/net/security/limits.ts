/** Limits of secrets and certificates; docs/limits.md lists them. */

/** Bytes that a shared secret has at least. */
export const secretBytesMin = 16;
