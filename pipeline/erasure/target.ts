/**
 * What is to be forgotten: the post of an id, or the posts of an author. Of an author only a salted hash is kept, so that the record of an erasure does
 * not keep the name; it is compared everywhere by that hash, in the store and in the log alike.
 */
import { createHash, randomBytes } from 'node:crypto'

export interface Target {
  /** '' where an author is forgotten. */
  readonly postId: string
  /** '' where a post is. */
  readonly authorHash: string
  readonly salt: string
  /** '' for any. */
  readonly source: string
}

/** What a record says of itself. */
export interface Claims {
  readonly id?: string | undefined
  readonly author?: string | undefined
  readonly source?: string | undefined
}

export type Named = { readonly postId: string } | { readonly author: string }

export function targetOf(named: Named, source: string): Target {
  if ('postId' in named)
    return { postId: named.postId.toWellFormed(), authorHash: '', salt: '', source }
  const salt = randomBytes(16).toString('hex')
  return { postId: '', authorHash: hashOf(salt, named.author), salt, source }
}

/** Whether the target was made of this name. */
export function isSame(target: Target, named: Named, source: string): boolean {
  if (target.source !== source) return false
  return 'postId' in named
    ? target.postId === named.postId.toWellFormed()
    : target.authorHash !== '' && target.authorHash === hashOf(target.salt, named.author)
}

export function isTargeted(target: Target, { id, author, source }: Claims): boolean {
  if (target.source !== '' && target.source !== source) return false
  if (target.postId !== '') return target.postId === id
  return author !== undefined && author !== '' && hashOf(target.salt, author) === target.authorHash
}

/** The same question to the store, of columns of these names; bound by `sqlParams`. */
export function sqlCondition(target: Target): string {
  const ofSource = target.source === '' ? '' : ' AND source = {source:String}'
  return target.postId === ''
    ? `author != '' AND lower(hex(SHA256(concat({salt:String}, author)))) = {authorHash:String}${ofSource}`
    : `post_id = {postId:String}${ofSource}`
}

export function sqlParams({ postId, authorHash, salt, source }: Target): Record<string, string> {
  return { postId, authorHash, salt, source }
}

function hashOf(salt: string, author: string): string {
  return createHash('sha256')
    .update(salt + author.toWellFormed())
    .digest('hex')
}
