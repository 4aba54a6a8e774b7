using System.Net;
using Collab.Testing;
using k8s;
using k8s.Models;

namespace Collab.Host.Tests.Deployment;

/// <summary><c>deploy/kubernetes.yaml</c> by the types of Kubernetes' own API, and that its parts fit each other and the server.</summary>
public sealed class KubernetesTests
{
    private static readonly Dictionary<string, Type> Kinds = new()
    {
        ["apps/v1/Deployment"] = typeof(V1Deployment),
        ["v1/Service"] = typeof(V1Service),
        ["policy/v1/PodDisruptionBudget"] = typeof(V1PodDisruptionBudget),
    };

    /// <summary>After this long the server ends whatever is still under way (<c>Program.cs</c>).</summary>
    private const int ShutdownSeconds = 10;

    private readonly List<object> _objects =
        KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(DeployFolder.Path, "kubernetes.yaml")), Kinds, strict: true);

    private V1Deployment Deployment => Assert.Single(_objects.OfType<V1Deployment>());

    private V1Container Container => Assert.Single(Deployment.Spec.Template.Spec.Containers);

    [Fact]
    public void All_of_it_is_of_types_that_Kubernetes_has()
    {
        Assert.Equal([typeof(V1Deployment), typeof(V1Service), typeof(V1PodDisruptionBudget)], _objects.Select(one => one.GetType()));
        var misspelt = File.ReadAllText(Path.Combine(DeployFolder.Path, "kubernetes.yaml")).Replace("replicas:", "replica:", StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => KubernetesYaml.LoadAllFromString(misspelt, Kinds, strict: true));
    }

    [Fact]
    public void The_service_and_the_disruption_budget_are_of_the_pods_of_the_deployment()
    {
        var labels = Deployment.Spec.Template.Metadata.Labels;
        foreach (var selector in (IDictionary<string, string>[])
            [
                Deployment.Spec.Selector.MatchLabels,
                _objects.OfType<V1Service>().Single().Spec.Selector,
                _objects.OfType<V1PodDisruptionBudget>().Single().Spec.Selector.MatchLabels,
            ])
        {
            Assert.NotEmpty(selector);
            Assert.All(selector, label => Assert.Equal(label.Value, labels[label.Key]));
        }

        Assert.Contains(_objects.OfType<V1Service>().Single().Spec.Ports, port => port.TargetPort.Value == Container.Ports.Single().Name);
    }

    [Fact]
    public void A_disruption_leaves_pods_and_a_rollout_takes_none_away_before_its_successor_is_ready()
    {
        Assert.Equal("1", _objects.OfType<V1PodDisruptionBudget>().Single().Spec.MaxUnavailable.Value);
        Assert.True(Deployment.Spec.Replicas > 1);
        Assert.Equal("0", Deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value);
    }

    [Fact]
    public async Task The_probes_ask_what_the_server_answers()
    {
        await using var host = await HostProcess.Launch(null).ReadyAsync();
        using var http = new HttpClient();

        foreach (var probe in (V1Probe[])[Container.StartupProbe, Container.LivenessProbe, Container.ReadinessProbe])
        {
            Assert.Equal(Container.Ports.Single().Name, probe.HttpGet.Port.Value);
            using var answer = await http.GetAsync(new Uri(host.Url + probe.HttpGet.Path));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Fact]
    public void A_pod_is_given_the_time_that_a_server_takes_to_leave()
    {
        Assert.True(Deployment.Spec.Template.Spec.TerminationGracePeriodSeconds >= Container.Lifecycle.PreStop.Sleep.Seconds + ShutdownSeconds);
    }

    [Fact]
    public void A_pod_has_no_rights_that_it_does_not_need()
    {
        Assert.True(Deployment.Spec.Template.Spec.SecurityContext.RunAsNonRoot);
        Assert.False(Container.SecurityContext.AllowPrivilegeEscalation);
        Assert.True(Container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.Equal(["ALL"], Container.SecurityContext.Capabilities.Drop);
    }

    [Fact]
    public void Its_settings_are_those_that_the_server_knows()
    {
        Assert.All(Container.Env.Where(variable => variable.Name != "POD_IP"), variable => DeployFolder.AssertIsSetting(variable.Name));
        Assert.Contains(Container.Env, variable => variable.Name == "Collab__Nodes__Address");
    }
}
