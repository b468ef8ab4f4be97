// What the page has besides its modules, for the type checker.
interface Window {
  /** Locust's template arguments, and a few of our own. */
  templateArgs: Record<string, any>;
}

/** The part of uPlot that is used here. */
declare class uPlot {
  constructor(options: any, data: any, target: Element);
  [name: string]: any;
}
