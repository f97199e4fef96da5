export class Jsonb {}
