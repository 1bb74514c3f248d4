import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URL;
import java.net.URLConnection;

/** In the language and with the classes of Java 8. */
class OldClient {
    public static void main(String[] args) throws Exception {
        URLConnection connection = new URL("https://api.example.test/java-" + args[0]).openConnection();
        connection.setRequestProperty("Authorization", "Bearer " + System.getenv("API_KEY"));
        System.out.println("java " + args[0] + ": " + new BufferedReader(new InputStreamReader(connection.getInputStream())).readLine());
    }
}
