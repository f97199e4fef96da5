export class Interval {}
