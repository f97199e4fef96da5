/**
 * Signing in, the same for every door: rules by database, user, address and transport; SCRAM and certificates; limits of
 * connections; TLS of the doors.
 *
 * Guarantees: nobody is let in who has not proved what the rule for them asks for; who fails learns nothing about which
 * users there are; keys and proofs are compared in a time that does not depend on them; certificates that change
 * are taken without a restart, those that cannot be used never replace any.
 *
 * Must not know: messages of a protocol, sessions, where roles are kept: {@link Accounts} tells of them.
 */
export { plainAddress } from './addresses.js';
export { endPointHash } from './channel-binding.js';
export {
  faultInRule,
  type Method,
  type SignInRule,
  trustsOthers,
} from './rules.js';
export { saslMessageBytesMax } from './limits.js';
export { type Mechanism, ScramServer } from './scram.js';
export { type SeatLimits, Seats } from './seats.js';
export { type Admission, type Attempt, SignIn, type SignInParts, type Visitor } from './sign-in.js';
export { certifiedClient, ServerTls, type TlsSettings } from './tls.js';
export { makeVerifier, readVerifier, verifiesPassword } from './verifier.js';
