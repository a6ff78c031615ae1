/** Letters that take two columns of a terminal: those of East Asia, and emoji. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|[\u3000-\u303e\uff01-\uff60\uffe0-\uffe6])/u;

/** How many columns of a terminal a printable text takes. Exact on Bun; Node has no such table. */
export function textWidth(text: string): number {
  if (typeof Bun !== "undefined") return Bun.stringWidth(text);
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}
