/** Ways to break the protocol on purpose: a chaos suite that finds none of them would find nothing. */
export const breakages = {
  'no-fence': 'an insert is taken wherever the mark stands',
  'no-token': 'an insert brings a token of its own',
  'commit-first': 'offsets are committed before they are stored, and reading begins at the commit',
  'trust-answers': 'what was acknowledged counts as stored',
  'no-letters': 'poison is dropped without a dead letter',
} as const
export type Breakage = keyof typeof breakages

export const isBreakage = (name: string): name is Breakage => name in breakages
