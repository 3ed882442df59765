using System.Globalization;
using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Smccc;
using Hypercalls.Testkit;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Psci;

/// <summary>
/// A million calls drawn at random, and reports of a host that keeps no order: the service and the model stay equal. HYPERCALLS_FUZZ_CALLS
/// sets another number, HYPERCALLS_FUZZ_SEED the seed that a failure has printed.
/// </summary>
public sealed class PsciFuzzTests(ITestOutputHelper output)
{
    private const int StepsOfAMachine = 1000;

    [Fact]
    public void Whatever_a_guest_calls_the_service_stays_with_the_model()
    {
        var seed = Setting("HYPERCALLS_FUZZ_SEED") is { } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : (ulong)Random.Shared.NextInt64();
        var left = int.Parse(Setting("HYPERCALLS_FUZZ_CALLS") ?? "1000000", CultureInfo.InvariantCulture);
        output.WriteLine($"Seed {seed}");
        for (var machine = 0; left > 0; machine++)
        {
            var run = new FuzzRun(new(seed + (ulong)machine));
            for (var step = 0; step < StepsOfAMachine && left > 0; step++)
            {
                left -= run.Step() ? 1 : 0;
                if (run.Fault is { } fault)
                {
                    Assert.Fail($"Seed {seed}, machine {machine} ({run.Platform}), step {step}: {fault}");
                }
            }
        }
    }

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name);

    private sealed class FuzzRun
    {
        private readonly Dice _dice;
        private readonly TestMachine _machine;
        private readonly PsciModel _model;

        public FuzzRun(Dice dice)
        {
            _dice = dice;
            Platform = new(dice);
            Service[] services = Platform.ServesSmccc ? [new PsciService(Platform.Settings), new SmcccService()] : [new PsciService(Platform.Settings)];
            _machine = new(Platform.Description, services);
            _model = new(Platform);
        }

        public ModelPlatform Platform { get; }

        public string? Fault { get; private set; }

        /// <summary>Whether the step was a call.</summary>
        public bool Step()
        {
            _machine.Now = _machine.Now.AddMicroseconds(_dice.Below(1000));
            var core = _dice.Below(_model.Cores.Length);
            var what = _dice.Below(1000);
            switch (what)
            {
                case < 60: Report(core); break;
                case < 80: FellBack(core); break;
                case < 85: Attach(); break;
                case < 88: Reset(); break;
                default: Call(core); break;
            }

            Fault ??= _machine.Failures.Count > 0 ? _machine.Failures[0].ToString() : _model.Difference(_machine.StateOf<PsciState>());
            return what >= 88;
        }

        private void Call(int index)
        {
            var call = _dice.OneIn(3) ? ModelCall.DrawAny(_dice, Platform) : ModelCall.Draw(_dice, Platform);
            var core = _machine.Core(index) with { Conduit = _dice.OneOf(Conduit.Smc, Conduit.Hvc) };
            var before = _machine.StateOf<PsciState>();
            var isOn = _model.Cores[index].Power == PsciModel.Power.On;
            var expected = _model.Call(index, call, _machine.Now);
            var answer = (call.IsAArch32 ? core.AArch32 : core).Call(call.Id, call.X1, call.X2, call.X3);
            if (answer != expected)
            {
                Fault = $"core {index}, {call}: {expected} was expected; {answer}";
            }
            else if (isOn && answer is { Kind: ResultKind.Status, X0: > long.MaxValue } && !ReferenceEquals(before, _machine.StateOf<PsciState>()))
            {
                Fault = $"core {index}, {call}: the error {(long)answer.X0} changed the state";
            }
        }

        private void Report(int index)
        {
            // Only a core that has run can wake.
            var isOff = _model.Cores[index] is { IsDown: true } or { Power: PsciModel.Power.Pending };
            var change = isOff
                ? _dice.OneOf(CoreChange.Started, CoreChange.Stopped, CoreChange.Refused)
                : _dice.OneOf(CoreChange.Started, CoreChange.Stopped, CoreChange.Woke, CoreChange.Refused);
            var core = _machine.Core(index);
            _model.Report(index, change, _machine.Now);
            switch (change)
            {
                case CoreChange.Started: core.Started(); break;
                case CoreChange.Stopped: core.Stopped(); break;
                case CoreChange.Woke: core.Woke(); break;
                default: core.Refused(); break;
            }
        }

        private void FellBack(int index)
        {
            if (_model.HasAnswered(index))
            {
                _model.FellBack(index);
                _machine.Core(index).FellBack();
            }
        }

        private void Attach()
        {
            var listed = Platform.Cores.Where(_ => !_dice.OneIn(5)).OrderBy(_ => _dice.Next())
                .Select(core => (core, _dice.OneOf(CorePower.On, CorePower.On, CorePower.Off, CorePower.Off, CorePower.Suspended, CorePower.Unavailable))).ToList();
            var description = Platform.Listing(listed.Count > 0 ? listed : [(Platform.Cores[0], CorePower.On)]);
            _machine.Attach(description);
            _model.Attach(description);
        }

        private void Reset()
        {
            var isWarm = _dice.OneIn(2);
            _machine.Reset(isWarm ? ResetKind.Warm : ResetKind.Cold);
            _model.Reset(isWarm, _machine.Description);
            _model.Report(0, CoreChange.Started, _machine.Now);
        }
    }
}
