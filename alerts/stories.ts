/**
 * Near-duplicates as one story: retweets and copies must not make a crowd. Clustered by the one reader in log order, so
 * that every replay gives the same stories.
 *
 * A MinHash signature is cut into bands; posts that share a band are candidates, and the share of equal values estimates
 * the Jaccard similarity of their tokens (Broder 1997; banding: Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4).
 */
export interface Story {
  /** Position of its first post. */
  readonly id: string
  readonly signature: readonly number[]
  readonly contentHash: string
  /** Instruments it has counted for. */
  readonly instruments: Set<string>
  lastSeen: number
}

export interface Sighting {
  readonly position: string
  readonly signature: readonly number[]
  readonly contentHash: string
}

export interface StoryOptions {
  /** Time without a sighting after which a story is news again. */
  readonly memoryMs: number
  readonly capacity: number
}

export type SavedStory = readonly [
  id: string,
  signature: string,
  contentHash: string,
  instruments: readonly string[],
  lastSeen: number,
]

/** With 32 values ten bands: two texts of similarity 0.7 share one with probability 1 - (1 - 0.7^3)^10 = 0.985. */
const rowsPerBand = 3
const sameStory = 0.7

export class StoryIndex {
  /** Least recently seen first. */
  readonly #stories = new Map<string, Story>()
  readonly #byBand = new Map<string, string>()
  readonly #options: StoryOptions

  constructor(options: StoryOptions, saved: readonly SavedStory[] = []) {
    this.#options = options
    for (const [id, signature, contentHash, instruments, lastSeen] of saved)
      this.#add({
        id,
        signature: decodeSignature(signature),
        contentHash,
        instruments: new Set(instruments),
        lastSeen,
      })
  }

  get size(): number {
    return this.#stories.size
  }

  /** The story of a post seen at `now`: a known one, or a new one that it begins. */
  observe({ position, signature, contentHash }: Sighting, now: number): Story {
    const known = this.#find(signature, contentHash)
    if (known !== undefined) {
      known.lastSeen = now
      this.#stories.delete(known.id)
      this.#stories.set(known.id, known)
      return known
    }
    const story: Story = {
      id: position,
      signature,
      contentHash,
      instruments: new Set(),
      lastSeen: now,
    }
    this.#add(story)
    return story
  }

  /** Drops what was last seen too long ago, and the oldest above capacity. */
  forget(now: number): void {
    for (const story of this.#stories.values()) {
      const stale = story.lastSeen <= now - this.#options.memoryMs
      if (!stale && this.#stories.size <= this.#options.capacity) return
      this.#remove(story)
    }
  }

  save(): SavedStory[] {
    return [...this.#stories.values()].map((story) => [
      story.id,
      encodeSignature(story.signature),
      story.contentHash,
      [...story.instruments],
      story.lastSeen,
    ])
  }

  #find(signature: readonly number[], contentHash: string): Story | undefined {
    let best: Story | undefined
    let bestSimilarity = 0
    for (const key of bandKeys(signature, contentHash)) {
      const candidate = this.#stories.get(this.#byBand.get(key) ?? '')
      if (candidate === undefined || candidate === best) continue
      const similarity =
        candidate.contentHash === contentHash ? 1 : similarityOf(candidate.signature, signature)
      if (similarity < sameStory || similarity <= bestSimilarity) continue
      best = candidate
      bestSimilarity = similarity
    }
    return best
  }

  #add(story: Story): void {
    this.#stories.set(story.id, story)
    for (const key of bandKeys(story.signature, story.contentHash))
      if (!this.#byBand.has(key)) this.#byBand.set(key, story.id)
  }

  #remove(story: Story): void {
    this.#stories.delete(story.id)
    for (const key of bandKeys(story.signature, story.contentHash))
      if (this.#byBand.get(key) === story.id) this.#byBand.delete(key)
  }
}

/** Estimated Jaccard similarity of two texts; 0 where a signature is missing. */
export function similarityOf(a: readonly number[], b: readonly number[]): number {
  if (a.length === 0 || a.length !== b.length) return 0
  return a.filter((value, index) => value === b[index]).length / a.length
}

function* bandKeys(signature: readonly number[], contentHash: string): Generator<string> {
  yield contentHash
  for (let start = 0; start + rowsPerBand <= signature.length; start += rowsPerBand)
    yield `${start}:${signature.slice(start, start + rowsPerBand).join(',')}`
}

const encodeSignature = (signature: readonly number[]): string =>
  Buffer.from(Uint32Array.from(signature).buffer).toString('base64')

function decodeSignature(text: string): number[] {
  const bytes = Buffer.from(text, 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(index * 4))
}
