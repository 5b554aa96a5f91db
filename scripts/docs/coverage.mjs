// How much of what the packages export is documented. An export is documented when it has a docstring of its own (all signatures of a function).
import { ReflectionKind } from 'typedoc'

const hasText = (reflection) =>
  reflection.hasComment() ||
  (reflection.signatures ?? reflection.type?.declaration?.signatures ?? []).some((signature) => signature.hasComment()) ||
  reflection.getSignature?.hasComment() === true

/** What its callers write: the keys of an interface or a type whose name ends in Options. */
const optionKeys = (reflection) =>
  /Options$/.test(reflection.name) ? (reflection.children ?? reflection.type?.declaration?.children ?? []) : []

function count(reflections) {
  const undocumented = reflections.filter((one) => !hasText(one)).map((one) => one.getFullName())
  return { all: reflections.length, undocumented }
}

/** @returns Exports of all modules and the keys of their options: how many, and the names of those without a docstring. */
export function coverage(project) {
  const exports = project.children
    .flatMap((module) => module.children ?? [])
    .filter((child) => !child.kindOf(ReflectionKind.Reference))
  const keys = exports.flatMap(optionKeys).filter((key) => !key.inheritedFrom)
  return { exports: count(exports), 'keys of options': count(keys) }
}
