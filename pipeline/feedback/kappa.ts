/** Agreement of two labellers beyond chance (Cohen 1960, Educational and Psychological Measurement 20). */

/** Posts that got these two labels. */
export interface Cell {
  readonly first: string
  readonly second: string
  readonly posts: number
}

export interface Agreement {
  readonly posts: number
  /** Share of the posts on which both gave the same label. */
  readonly agreed: number
  /** (agreed - chance) / (1 - chance); null where chance alone would agree on everything: both gave one label throughout. */
  readonly kappa: number | null
}

/** At least one post. */
export function cohensKappa(cells: readonly Cell[]): Agreement {
  const sum = (counted: readonly Cell[]) => counted.reduce((total, { posts }) => total + posts, 0)
  const posts = sum(cells)
  const agreed = sum(cells.filter(({ first, second }) => first === second)) / posts
  const labels = new Set(cells.map(({ first }) => first))
  let chance = 0
  for (const label of labels)
    chance +=
      (sum(cells.filter(({ first }) => first === label)) *
        sum(cells.filter(({ second }) => second === label))) /
      posts ** 2
  return { posts, agreed, kappa: chance < 1 ? (agreed - chance) / (1 - chance) : null }
}
