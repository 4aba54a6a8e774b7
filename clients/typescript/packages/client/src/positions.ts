/**
 * What a reader may know of positions, which are `epoch-offset`: offsets of one epoch are dense, save that a message may stand for others
 * before it; those of two epochs cannot be compared.
 */
interface Place {
  readonly epoch: string;
  readonly offset: number;
}

function placeOf(position: string): Place {
  const dash = position.lastIndexOf("-");
  return { epoch: position.slice(0, dash), offset: Number(position.slice(dash + 1)) };
}

/** The position that a message follows: that of the one before it, and before those that it stands for. */
export function positionBefore({ position, skipped }: { readonly position: string; readonly skipped?: number | null }): string {
  const { epoch, offset } = placeOf(position);
  return `${epoch}-${offset - 1 - (skipped ?? 0)}`;
}

/** Whether both are of one log and `position` is not behind `other`. */
export function reaches(position: string, other: string): boolean {
  const [a, b] = [placeOf(position), placeOf(other)];
  return a.epoch === b.epoch && a.offset >= b.offset;
}
