import { Weather, type MessageFault } from '../network/weather.ts';
import { Random } from '../virtual/random.ts';

/** Weather in which exactly one chosen fault happens, to whatever is done next. */
export class ScopeWeather extends Weather {
  private armed: MessageFault | null = null;

  constructor() {
    super(new Random(1), new Map(), 0, 0);
  }

  arm(fault: MessageFault): void {
    this.armed = fault;
  }

  disarm(): void {
    this.armed = null;
  }

  override latencyMs(): number {
    return 0;
  }

  override happens(fault: MessageFault): boolean {
    if (this.armed !== fault) return false;
    this.armed = null;
    return true;
  }
}
