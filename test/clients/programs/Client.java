import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public class Client {
    public static void main(String[] arguments) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://api.example.test/java"))
                .header("Authorization", "Bearer " + System.getenv("API_KEY")).build();
        System.out.println("java: " + HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body());
    }
}
