import type { Origin } from './origin.ts';
import { pathText, type SettingPath, startsWith } from './setting-path.ts';

/** One value and where it came from; what every layer of settings is made of. */
export interface Assignment {
  readonly path: SettingPath;
  readonly value: unknown;
  readonly origin: Origin;
  /** The value is text whose type the schema decides: an environment variable, a flag. */
  readonly text?: boolean;
}

export type Plain = { [key: string]: unknown };

/** Ten times a large settings file; bounds the work that a file full of mistakes, or of aliases, can make. */
export const MOST_LEAVES = 3000;
const DEEPEST = 32;

/**
 * The settings while layers are laid over each other: plain data, and for each leaf its origin. Later assignments
 * win; a list from a later layer replaces the whole list, a numbered part of it only that part.
 */
export class SettingTree {
  readonly root: Plain = {};
  readonly #leaves = new Map<string, { path: SettingPath; origin: Origin; text: boolean }>();

  /** What is wrong with the assignment, or undefined when it was made. */
  assign({ path, value, origin, text = false }: Assignment): string | undefined {
    if (this.#leaves.size >= MOST_LEAVES) return `more than ${MOST_LEAVES} values`;
    if (path.length > DEEPEST) return `nested deeper than ${DEEPEST} levels`;
    if (path.includes('__proto__')) return 'is not a name of a setting';
    let container: Plain | unknown[] = this.root;
    for (const [depth, part] of path.entries()) {
      const key = Array.isArray(container) ? part : String(part);
      if (Array.isArray(container) && (typeof key !== 'number' || key > container.length)) {
        return typeof key === 'number'
          ? `would leave a gap: the list has ${container.length} entries, the next is number ${container.length}`
          : `${pathText(path.slice(0, depth))} is a list; name an entry by its number, from 0`;
      }
      if (depth === path.length - 1) {
        const former = read(container, key);
        if (isPlain(former) || Array.isArray(former)) this.#forget(path);
        write(container, key, value);
        this.#leaves.set(pathText(path), { path, origin, text });
        return undefined;
      }
      const child = this.#descend(container, key, path.slice(0, depth + 1), path[depth + 1]);
      if (child === undefined) return `${pathText(path.slice(0, depth + 1))} is a single value`;
      container = child;
    }
    return 'names no setting';
  }

  /** The container below `key`, made if there is none. A bare string where settings are added is `{ use: string }`. */
  #descend(
    container: Plain | unknown[],
    key: string | number,
    at: SettingPath,
    next: string | number | undefined,
  ): Plain | unknown[] | undefined {
    const present = read(container, key);
    if (isPlain(present) || Array.isArray(present)) {
      // An empty list or section was a leaf until now.
      if (Object.keys(present).length === 0) this.#leaves.delete(pathText(at));
      return present;
    }
    if (typeof present === 'string' && typeof next === 'string') {
      const leaf = this.#leaves.get(pathText(at));
      const made: Plain = { use: present };
      write(container, key, made);
      this.#leaves.delete(pathText(at));
      if (leaf !== undefined) this.#leaves.set(pathText([...at, 'use']), { ...leaf, path: [...at, 'use'] });
      return made;
    }
    if (present !== undefined) return undefined;
    const made: Plain | unknown[] = typeof next === 'number' ? [] : {};
    write(container, key, made);
    return made;
  }

  leaves(): readonly { readonly path: SettingPath; readonly origin: Origin; readonly text: boolean }[] {
    return [...this.#leaves.values()];
  }

  get(path: SettingPath): unknown {
    return getAt(this.root, path);
  }

  /** Replaces the value of a leaf; its origin stays. */
  set(path: SettingPath, value: unknown): void {
    setAt(this.root, path, value);
  }

  /** Takes a leaf of an object out. */
  remove(path: SettingPath): void {
    const container = this.get(path.slice(0, -1));
    if (isPlain(container)) delete container[String(path.at(-1))];
    this.#leaves.delete(pathText(path));
  }

  /** Of the leaf itself, else of the nearest thing around it that was written. */
  originOf(path: SettingPath): Origin | undefined {
    for (let length = path.length; length > 0; length--) {
      const part = path.slice(0, length);
      const near =
        this.#leaves.get(pathText(part)) ?? this.leaves().find((leaf) => startsWith(leaf.path, part));
      if (near !== undefined) return near.origin;
    }
    return undefined;
  }

  #forget(path: SettingPath): void {
    for (const [text, leaf] of this.#leaves) if (startsWith(leaf.path, path)) this.#leaves.delete(text);
  }
}

export function getAt(value: unknown, path: SettingPath): unknown {
  let current = value;
  for (const part of path) {
    if (!isPlain(current) && !Array.isArray(current)) return undefined;
    current = read(current, part);
  }
  return current;
}

/** Replaces what stands at a path; nothing where the path leads nowhere. */
export function setAt(root: unknown, path: SettingPath, value: unknown): void {
  const container = getAt(root, path.slice(0, -1));
  const key = path.at(-1);
  if (key !== undefined && (isPlain(container) || Array.isArray(container))) write(container, key, value);
}

/** Every leaf of plain data; empty lists and objects are leaves. Undefined when there are too many. */
export function leavesOf(value: unknown): { path: SettingPath; value: unknown }[] | undefined {
  const found: { path: SettingPath; value: unknown }[] = [];
  const visit = (current: unknown, path: SettingPath): boolean => {
    if (found.length > MOST_LEAVES || path.length > DEEPEST) return false;
    const parts: [string | number, unknown][] = Array.isArray(current)
      ? [...current.entries()]
      : isPlain(current)
        ? Object.entries(current)
        : [];
    if (parts.length === 0) {
      if (path.length > 0) found.push({ path, value: current });
      return true;
    }
    return parts.every(([part, child]) => visit(child, [...path, part]));
  };
  return visit(value, []) ? found : undefined;
}

export const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const read = (container: Plain | unknown[], key: string | number): unknown =>
  Object.hasOwn(container, key) ? (container as Plain)[key as string] : undefined;

const write = (container: Plain | unknown[], key: string | number, value: unknown): void => {
  (container as Plain)[key as string] = value;
};
