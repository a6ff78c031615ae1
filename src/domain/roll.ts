/** Has a place of its own in a `Roll`; nobody else writes it. */
export interface Enrolled {
  /** -1 where it is in none. */
  place: number;
}

/**
 * Who is there at the moment, where many come and go: joining and leaving move no one but the last.
 *
 * A `Set` or `Map` would do, but for the collector: each table that it has outgrown points to its successor, and one
 * that was taken for old keeps alive, until a full collection, all that went through those behind it.
 */
export class Roll<Member extends Enrolled> {
  private readonly members: Member[] = [];

  get size(): number {
    return this.members.length;
  }

  add(member: Member): void {
    member.place = this.members.length;
    this.members.push(member);
  }

  /** Nothing happens where it is not there. */
  delete(member: Member): void {
    const { place } = member;
    if (this.members[place] !== member) return;
    const last = this.members.pop() as Member;
    if (last !== member) {
      last.place = place;
      this.members[place] = last;
    }
    member.place = -1;
  }

  /** Those of this moment, in no particular order; some may have left until it is their turn. */
  all(): readonly Member[] {
    return this.members.slice();
  }
}
