export class Numeric {}
