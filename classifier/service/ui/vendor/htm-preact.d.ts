// The part of preact and htm that is used here.
export function html(strings: TemplateStringsArray, ...values: any[]): any;
export function render(vnode: any, parent: Element): void;
export function useState<T>(initial?: T | (() => T)): [T, (next: T | ((previous: T) => T)) => void];
export function useEffect(effect: () => void | (() => void), inputs?: readonly any[]): void;
export function useMemo<T>(make: () => T, inputs: readonly any[]): T;
export function useRef<T = any>(initial?: T): { current: any };
