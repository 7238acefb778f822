import 'reflect-metadata';
import { type DependencyContainer, instanceCachingFactory } from 'tsyringe';

declare const type: unique symbol;

/** A typed name for a part. Symbols, because tsyringe constructs an unregistered class without a word. */
export type Token<T> = symbol & { readonly [type]?: T };

export const token = <T>(description: string): Token<T> => Symbol(description) as Token<T>;

export type Get = <T>(token: Token<T>) => T;

/** Registers how a part is made: once, at its first use. An override registered later wins. */
export function provide<T>(container: DependencyContainer, name: Token<T>, make: (get: Get) => T): void {
  container.register(name, {
    useFactory: instanceCachingFactory((c) => make((wanted) => c.resolve(wanted))),
  });
}

export const get =
  (container: DependencyContainer): Get =>
  (wanted) =>
    container.resolve(wanted);
